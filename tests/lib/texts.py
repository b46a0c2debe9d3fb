# SPDX-License-Identifier: Apache-2.0
"""Long texts that no rule minds: a wall of one word would be held as spam."""

import random

WORDS = (
    "сегодня разберём задачу про поезд дорогу скорость потом повторим слова урока читаем вслух "
    "пишем диктант решаем пример рисуем график находим корень берём учебник открываем тетрадь "
    "слушаем запись отвечаем спрашиваем думаем вместе проверяем ошибки хвалим отдыхаем гуляем"
).split()


def prose(words, seed=1):
    """`words` words, the same for the same seed; some 14 bytes each."""
    dice = random.Random(seed)
    return " ".join(dice.choice(WORDS) for _ in range(words))

/* SPDX-License-Identifier: Apache-2.0 */
/* Words that the detectors know
 *
 * They go into the same database as the rules' words, so they are found through every disguise
 * that words have, at no cost. They decide nothing alone: a detector needs digits, an address or a
 * name beside them.
 */
#include "moderation/lexicon.h"

#define NUMBER(value, words) {0, value, words},
#define SIGN(sign, words)    {SIGN_##sign, -1, words},

/* clang-format off */
const struct lexicon_entry lexicon[] = {
    NUMBER(0, "nol nul ноль нуль нол ноля нуля нолик нулик нолей зеро zero nought oh")
    NUMBER(1, "один одна одно адин единица единичка единицу one")
    NUMBER(2, "dva dve два две двойка двоечка двойку two")
    NUMBER(3, "tri три тройка троечка тройку three")
    NUMBER(4, "четыре четыри читыре чытыре четверка четверочка четверку four")
    NUMBER(5, "пять пят пятерка пятерочка пятерку five")
    NUMBER(6, "шесть шест шестерка шестерочка шестерку six")
    NUMBER(7, "sem семь сем семерка семерочка семерку seven")
    NUMBER(8, "восемь восем восьмерка восьмерочка восьмерку eight")
    NUMBER(9, "девять девят девятка девяточка девятку nine")
    NUMBER(10, "десять десят ten")
    NUMBER(11, "одиннадцать одинадцать одиннадцат одинадцат eleven")
    NUMBER(12, "двенадцать двенадцат двинадцать twelve")
    NUMBER(13, "тринадцать тринадцат thirteen")
    NUMBER(14, "четырнадцать четырнадцат четырнацать fourteen")
    NUMBER(15, "пятнадцать пятнадцат пятнацать fifteen")
    NUMBER(16, "шестнадцать шестнадцат шестнацать sixteen")
    NUMBER(17, "семнадцать семнадцат семнацать seventeen")
    NUMBER(18, "восемнадцать восемнадцат восемнацать eighteen")
    NUMBER(19, "девятнадцать девятнадцат девятнацать nineteen")
    NUMBER(20, "двадцать двадцат дватцать twenty")
    NUMBER(30, "тридцать тридцат тритцать thirty")
    NUMBER(40, "сорок forty fourty")
    NUMBER(50, "пятьдесят пядьдесят пятдесят писят fifty")
    NUMBER(60, "шестьдесят шесдесят шестдесят шисят sixty")
    NUMBER(70, "семьдесят семдесят seventy")
    NUMBER(80, "восемьдесят восемдесят восимьдесят eighty")
    NUMBER(90, "девяносто девеносто девяноста ninety")
    NUMBER(100, "sto сто")
    NUMBER(200, "двести двесте")
    NUMBER(300, "триста тристо")
    NUMBER(400, "четыреста четыресто")
    NUMBER(500, "пятьсот пятсот")
    NUMBER(600, "шестьсот шестсот шессот")
    NUMBER(700, "семьсот семсот")
    NUMBER(800, "восемьсот восемсот восимьсот")
    NUMBER(900, "девятьсот девятсот")
    NUMBER(LEXICON_DOUBLE, "double дважды")
    NUMBER(LEXICON_TRIPLE, "triple трижды")
    NUMBER(LEXICON_HUNDRED, "hundred")

    SIGN(AT,
         "собака собачка собаки собаку собачку сабака собакой эт at")

    SIGN(DOT,
         "точка точку точк тчк dot дот")

    SIGN(SLASH,
         "слэш слеш слэшь слешь slash дробь")

    SIGN(DASH,
         "дефис тире минус dash hyphen")

    SIGN(UNDERSCORE,
         "подчеркивание подчёркивание подчерк underscore андерскор")

    SIGN(PHONE,
         "тел телеф телефон* телефончик* мобильн* мобил мобила мобилка мобилу мобилке сотов* "
         "звон* звякн* звякай позвон* перезвон* созвон* дозвон* набер* набирай набрать смс "
         "смск* sms вотсап* вацап* ватсап* ватцап* вотсапп* вайбер* viber whatsapp* phone* "
         "telephone* mobile cell cellphone call calls callme ring dial tel text voicemail "
         "landline wa tg тг телега телегу телеге телеграм* telegram контакт* contact* reach "
         "дозвониться звонок звонка signal сигнал")

    SIGN(NUMBER,
         "номер номера номеру номером номерок номерочек number numbers nr num no")

    SIGN(CARD,
         "карт* карточк* сбер сбербанк* тинькофф* тинёк тинек альфабанк* альфа втб перевод* "
         "перевед* переведи* переводи* скин* скид* кидай* кинь* закин* оплат* заплат* плати* "
         "card cards visa виза мир mastercard мастеркард maestro bank банк* transfer* pay* "
         "payment* реквизит* счёт счет donate донат*")

    SIGN(MAIL,
         "почт* почтов* мыло мылу мыла мейл* имейл* емейл* емаил* мэйл* имэйл* email* mail* "
         "mails inbox gmail* электронк* эмейл* yandex rambler outlook hotmail yahoo icloud "
         "protonmail яндекс рамблер гмейл джимейл жмейл")

    SIGN(LINK,
         "ссылк* ссылоч* сайт* сайтик* линк* урл url link* site* website* page страниц* "
         "канал* channel* группа группу группе паблик* смотри посмотри глянь зайди заходи "
         "перейди переходи here visit follow check join вступай подписыв* подпишись открой "
         "open go click жми тыкай профил* profile*")

    SIGN(MESSENGER,
         "телеграм телеграмм телеграма телеграмма телеграме телеграмме телеграму телеграмму "
         "телеграмм* телега телегу телеге телеги телегой телеграмчик* телеграмка телеграмке "
         "тлг тлгр тгшк* тэгэ тегешк* telegram* telega telegu teleg* tlg тг tg вотсап* вацап* ватсап* "
         "ватцап* вотсапп* вотцап* уотсап* воцап* whatsap* watsap* whatsup wotsap* вайбер* "
         "вибер вибере viber* вконтакте вконтакт вконтактик* vkontakte vk инстаграм* "
         "инстаграмм* instagram* скайп* скаип* skype* skyp дискорд* discord* фейсбук* "
         "facebook снапчат* snapchat* тикток* tiktok* вичат wechat* аська аську аське icq "
         "твиттер* twitter* одноклассник* линкедин linkedin")

    SIGN(MESSENGER_WEAK,
         "вк вкшк* инста инсту инсте инсты insta ig inst фб fb фейс дс сигнал signal "
         "messenger мессенджер* мессендж* snap снап kik кик макс твич* twitch* steam стим стиме зум "
         "zoom ютуб* youtube* wa ватс вотс телег теле tele")

    SIGN(PERSON,
         "мой моя моё мое мои моего моей моему мне меня мной свой своя своё свои свою свое "
         "твой твоя твою твои ваш ваша вашу ваши my me mine your our")

    SIGN(REACH,
         "пиши пишите напиши напишите писать написать пишу стучи стучись стучите постучи "
         "добав* ищи ищите найди найдите найти поищи черкни* маякни* кинь скинь скидывай "
         "отпиш* отправ* лови ловите вот add dm pm write text find search message msg ping "
         "hit reach contact follow подпис* подпиш* зови зовут ник")

    SIGN(COUNTED,
         "задач* задани* упр упражнен* вариант* стр страниц* глав* пример* уравнен* реши "
         "решите ответ* isbn гост артикул* страница параграф* п рис рисунок таблиц* цена цены "
         "стоит стоимость руб рубл* тенге грн долл* евро сумм* год года году лет task* page* "
         "exercise* chapter* version версия верс issue ticket порт port pid id код code урок* "
         "lesson* числа число чисел числ* ряд последовательност*")

    SIGN(JOIN,
         "и потом затем дальше далее ещё плюс конец последние последнее пробел пауза скобка скобки "
         "запятая and then next plus space last pause comma")

    SIGN(NICK,
         "ник ником нике никнейм* никнэйм* юзернейм* юзер логин* логином nick* username user "
         "login handle аккаунт* акк акка акаунт* account* acc айди ид id")
};
/* clang-format on */

const size_t lexicon_count = sizeof(lexicon) / sizeof(lexicon[0]);

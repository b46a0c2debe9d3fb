-- SPDX-License-Identifier: Apache-2.0
-- Demo data for deploy/dev: four people who sign in with the password "demo", and a lesson that is
-- booked, so that the trigger makes the chat room. Run after the migrations; again does nothing.
-- Never for a database that others can reach.
--
-- psql -v ON_ERROR_STOP=1 -f sql/demo.sql [-v demo_hash='$2b$...']
SET client_min_messages = warning;
\if :{?demo_hash}
\else
    \set demo_hash '$2b$10$UrumnsU9oW3rmg7DAUACl.ogc8HiqW6v5ppogCZOUbM70fRJ25dNS'
\endif

INSERT INTO public.users (id, email, password_hash, first_name, last_name, role)
VALUES ('00000000-0000-4000-8000-000000000001', 'teacher@example.test', :'demo_hash',
        'Анна', 'Смирнова', 'teacher'),
       ('00000000-0000-4000-8000-000000000002', 'student@example.test', :'demo_hash',
        'Иван', 'Петров', 'student'),
       ('00000000-0000-4000-8000-000000000003', 'moderator@example.test', :'demo_hash',
        'Мария', 'Орлова', 'moderator'),
       ('00000000-0000-4000-8000-000000000004', 'admin@example.test', :'demo_hash',
        'Пётр', 'Соколов', 'admin')
ON CONFLICT DO NOTHING;

INSERT INTO public.lessons (id, teacher_id, student_id, start_time, end_time)
VALUES ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001',
        '00000000-0000-4000-8000-000000000002',
        date_trunc('hour', now() AT TIME ZONE 'utc') + interval '1 day',
        date_trunc('hour', now() AT TIME ZONE 'utc') + interval '1 day 1 hour')
ON CONFLICT DO NOTHING;

INSERT INTO public.bookings (id, lesson_id, student_id, status)
VALUES ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-000000000011',
        '00000000-0000-4000-8000-000000000002', 'active')
ON CONFLICT DO NOTHING;

-- SPDX-License-Identifier: Apache-2.0
-- The platform's tables, for a database that lacks them (a new user's, a test's).
--
-- Beside the platform's own this changes nothing: what exists is taken as it is, whatever its
-- defaults and further columns. Times are UTC without zone, as the platform keeps them. An
-- existing table is not even locked: IF NOT EXISTS looks at the catalog alone.
SET lock_timeout = '2s';
SET client_min_messages = warning;

CREATE TABLE IF NOT EXISTS public.users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email varchar(255) NOT NULL UNIQUE,
    password_hash text,
    first_name varchar(100),
    last_name varchar(100),
    role varchar(50) NOT NULL,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    deleted_at timestamp
);

CREATE TABLE IF NOT EXISTS public.lessons (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    teacher_id uuid REFERENCES public.users (id),
    student_id uuid REFERENCES public.users (id),
    start_time timestamp NOT NULL,
    end_time timestamp,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    deleted_at timestamp
);

CREATE TABLE IF NOT EXISTS public.bookings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    lesson_id uuid NOT NULL REFERENCES public.lessons (id),
    student_id uuid NOT NULL REFERENCES public.users (id),
    status varchar(50) NOT NULL DEFAULT 'active',
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    deleted_at timestamp
);

CREATE TABLE IF NOT EXISTS public.chat_rooms (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    teacher_id uuid NOT NULL REFERENCES public.users (id),
    student_id uuid NOT NULL REFERENCES public.users (id),
    last_message_at timestamp,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    updated_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    deleted_at timestamp,
    UNIQUE (teacher_id, student_id)
);

CREATE TABLE IF NOT EXISTS public.messages (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    chat_room_id uuid NOT NULL REFERENCES public.chat_rooms (id),
    sender_id uuid NOT NULL REFERENCES public.users (id),
    message_text text NOT NULL,
    status varchar(50) NOT NULL DEFAULT 'pending_moderation',
    moderation_completed_at timestamp,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'utc'),
    deleted_at timestamp
);

create table "knex_migrations" ("id" serial primary key, "name" varchar(255), "batch" integer, "migration_time" timestamptz);
insert into "knex_migrations_lock" ("is_locked") values (0);
update "knex_migrations_lock" set "is_locked" = 1 where "index" = 1;
alter table "users" add column "nick" varchar(255) null;

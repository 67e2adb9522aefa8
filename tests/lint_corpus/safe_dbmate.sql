-- migrate:up
create table tags (id bigint generated always as identity primary key, label text not null unique);
insert into tags (label) values ('new'), ('old');
-- migrate:down
drop table tags;

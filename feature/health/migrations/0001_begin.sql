-- When something last went well, such as a backup.
create table health_done (
    what text not null primary key,
    at bigint not null
);

-- One row for each installation of an app that has logged in, as it tells of itself (XEP-0388 §2.3). password: it has proved to know the
-- password that the account has now.
create table device_app (
    account bigint not null,
    client text not null,
    software text not null,
    name text not null,
    began bigint not null,
    seen bigint not null, -- to the hour
    password boolean not null,
    primary key (account, client)
);

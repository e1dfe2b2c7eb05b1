-- One row for each element that an account's apps store, by its name.
create table private_element (
    account bigint not null,
    space text not null,
    name text not null,
    content text not null,
    primary key (account, space, name)
);

-- What has become of payments without network: each is paid, or taken back by its payer, one of the two. A promise that nobody has handed in is not here.
create table pay_promise (
    account text not null, -- the payer
    id text not null, -- of the promise
    back boolean not null, -- taken back
    time bigint not null,
    primary key (account, id)
);

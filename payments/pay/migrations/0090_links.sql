-- Wrong PINs that were given by links. Whoever has a link guesses at the expense of that link, and not of the key.
create table pay_link (
    code text primary key, -- of the link
    account text not null,
    wrong bigint not null, -- since the last right one by it
    until bigint not null -- when they are forgotten
);
create index pay_link_account on pay_link (account);

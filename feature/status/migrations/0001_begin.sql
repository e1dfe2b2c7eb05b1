-- What was told as a status in the last 24 hours, also what was taken back since: it counts, and its name is not free.
create table status_item (
    account bigint not null,
    name text not null, -- the id of the item
    author text not null, -- the account's bare address
    posted bigint not null, -- UTC microseconds
    expires bigint not null, -- UTC microseconds
    audience text not null, -- bare addresses, one to a line with a line feed before and after; '' for all who may read the node
    gone bigint not null, -- 1 when it was taken back
    primary key (account, name)
);
create index status_item_author on status_item (author, expires);
create index status_item_expires on status_item (expires);

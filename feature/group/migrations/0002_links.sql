-- Invitation links that were given out. The token itself is not kept.
create table group_link (
    id bigint primary key, -- the order and time (UTC microseconds) of creation
    room bigint not null,
    hash text not null, -- SHA-256 of the token, hexadecimal
    author text not null, -- bare address
    expires bigint not null, -- UTC microseconds
    uses bigint not null -- how many may still come by it
);
create unique index group_link_hash on group_link (hash);
create index group_link_room on group_link (room, id);

-- Who wants to become a member and waits for an administrator.
create table group_request (
    room bigint not null,
    jid text not null, -- bare
    nick text not null, -- '' for none
    reason text not null,
    asked bigint not null, -- UTC microseconds
    primary key (room, jid)
);

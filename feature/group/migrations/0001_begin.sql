-- A group. settings is its configuration, as JSON; version is the id of the last entry that changed who stands how with it.
create table group_room (
    id bigint primary key, -- the order and time (UTC microseconds) of creation, and the number of its log
    name text not null, -- the local part of its address
    settings text not null,
    subject text not null, -- <subject/> as it was said, with who said it; '' for none
    version bigint not null,
    secret text not null, -- of its occupant ids (XEP-0421), 32 hexadecimal digits
    destroyed text -- where to go instead and why, as JSON; null while it lives
);
create unique index group_room_name on group_room (name);

-- Who stands how with a group; who is not here stands in no way.
create table group_member (
    room bigint not null,
    jid text not null, -- bare
    affiliation bigint not null,
    nick text not null, -- '' for none
    likeness text, -- what the nick looks like; nobody else's may look so
    since bigint not null, -- the entry with which it began; what came before is not theirs to read
    primary key (room, jid)
);
create index group_member_jid on group_member (jid);
create unique index group_member_likeness on group_member (room, likeness);

-- The log of all groups. id is the order and time (UTC microseconds); after is the id of the entry before it in its group, 0 for the first.
create table group_entry (
    id bigint primary key,
    room bigint not null,
    after bigint not null,
    kind bigint not null,
    author text not null, -- bare address
    stanza text not null
);
create index group_entry_room on group_entry (room, id);

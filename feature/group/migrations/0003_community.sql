-- The groups of a community, which is itself the group of its announcements: who is a member of that is a member of the community.
create table group_child (
    room bigint primary key, -- the group
    community bigint not null, -- the group of the announcements
    since bigint not null, -- the entry of the community's log that says so
    open bigint not null -- 1 if members of the community become members by themselves
);
create index group_child_community on group_child (community, since);

-- What follows in one group from a change of another, and is not done yet.
create table group_consequence (
    id bigint primary key, -- the order, and the time (UTC microseconds) of the change
    kind text not null,
    room bigint not null, -- where it is to be done
    jid text not null, -- bare; whom, or which group, it is about
    author text not null -- bare; who made the change
);
create index group_consequence_jid on group_consequence (jid);

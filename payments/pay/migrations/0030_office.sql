-- What one administrator proposes and another one approves. Times are UTC microseconds.
create table pay_proposal (
    id bigint primary key, -- when it was proposed
    kind text not null, -- issue, withdraw, correct
    account text not null, -- whose wallet
    unit text not null,
    amount bigint not null, -- in minor units
    target text not null, -- the payment that is withdrawn or taken back
    why text not null,
    proposer text not null,
    approver text not null,
    state text not null, -- open, done, declined, refused
    decided bigint not null, -- 0 while it is open
    number bigint not null -- of the ledger's record, 0 for none
);
create index pay_proposal_state on pay_proposal (state, id);
create index pay_proposal_target on pay_proposal (target) where target <> '';

-- What administrators have done. Nothing is ever taken from it.
create table pay_audit (
    id bigint primary key, -- when, in UTC microseconds
    who text not null,
    what text not null,
    account text not null, -- whom it is about, empty for nobody
    about text not null
);

-- Whoever was promised something hands it in again until it is paid or over: what was noted about it is looked for each time.
create index pay_suspicion_account on pay_suspicion (account, kind, id);
-- Takings-back of the last days are counted.
create index pay_promise_back on pay_promise (time) where back;

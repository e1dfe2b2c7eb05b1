-- 0 was a limit of nothing, and is none of one's own now. Whoever had set it pays nothing until they set their limits anew: less than 0 says so.
update pay_limit set transaction_most = -1, day_most = -1 where transaction_most = 0 or day_most = 0;

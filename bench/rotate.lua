-- For wrk: the same GET for one account after the other. Arguments: path, file with
-- the Authorization values, and how many requests at most (0: until the time is
-- over). Prints one line of figures.

local ffi = require("ffi")
ffi.cdef [[
typedef struct { long s; long ns; } lockstep_time;
int clock_gettime(int, lockstep_time *);
]]

local threads = {}
local requests = {}
local sent = 0
local most = 0

local function now()
	local t = ffi.new("lockstep_time")
	ffi.C.clock_gettime(1, t)
	return tonumber(t.s) + tonumber(t.ns) / 1e9
end

function setup(thread)
	table.insert(threads, thread)
end

function init(args)
	most = tonumber(args[3])
	for login in io.lines(args[2]) do
		local headers = { ["Authorization"] = login }
		table.insert(requests, wrk.format("GET", args[1], headers))
	end
end

-- wrk counts all the time that it was given, so a run that ends earlier is timed
-- here.
function request()
	if sent == 0 then
		began = now()
	end
	if sent == most and most > 0 then
		took = now() - began
		wrk.thread:stop()
	end
	sent = sent + 1
	return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
	local e = summary.errors
	local took = threads[1]:get("took") or summary.duration / 1e6
	io.write(string.format("requests=%d seconds=%.6f p50=%.3f p99=%.3f failed=%d\n",
	    summary.requests, took, latency:percentile(50) / 1000,
	    latency:percentile(99) / 1000,
	    e.connect + e.read + e.write + e.status + e.timeout))
end

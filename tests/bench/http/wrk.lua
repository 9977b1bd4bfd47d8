-- SPDX-License-Identifier: BSD-3-Clause
-- What wrk asks a proxy for: wrk -s wrk.lua http://PROXY -- AUTHORITY FOLDER COUNT
--
-- The objects 0 .. COUNT-1 of a folder in turn; with COUNT 0 each time another one, which nobody
-- has asked for before: of a round, as its folder is one of its own. Prints one JSON object.
local texts = {}
local authority, folder
local count = 0
local turn = 0

local function text_of(number)
  return "GET http://" .. authority .. "/" .. folder .. "/" .. number ..
         " HTTP/1.1\r\nHost: " .. authority .. "\r\n\r\n"
end

function init(args)
  authority, folder, count = args[1], args[2], tonumber(args[3])
  for number = 0, count - 1 do
    texts[number] = text_of(number)
  end
  -- One after the other, a millisecond apart, so that what is measured is an answer's way and not
  -- the queue in front of a full processor.
  if count == 0 then
    delay = function() return 1 end
  end
end

function request()
  turn = turn + 1
  if count == 0 then return text_of(turn) end
  return texts[turn % count]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end

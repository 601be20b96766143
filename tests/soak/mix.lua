-- The bulk of the soak test's requests. Each thread of wrk has one connection, so an answer belongs to the request before it, and
-- is compared with what that request is known to give.
--   wrk -tN -cN -s mix.lua URL -- SITE CLASSES [LEAK]
-- `done` writes one line of JSON: requests and errors as wrk counts them, and for each kind the answers that were wrong, cut short or
-- ended by the end of the connection, and a histogram of latencies.

local ffi = require("ffi")
ffi.cdef [[
typedef struct { long seconds, nanoseconds; } soak_time;
int clock_gettime(int clock, soak_time *time);
]]
local now_buffer = ffi.new("soak_time")
local function milliseconds()
    ffi.C.clock_gettime(1, now_buffer)
    return tonumber(now_buffer.seconds) * 1000 + tonumber(now_buffer.nanoseconds) / 1e6
end

-- A bucket is a twentieth of a power of two wide: 3.5 percent.
local BUCKETS = 20
local threads = {}
local number = 0

function setup(thread)
    thread:set("id", #threads)
    table.insert(threads, thread)
end

-- All threads together send one request of each kind for each of its weight.
local WEIGHTS = { hello = 50, file = 12, upload = 12, template = 10, pipe = 10 }
local mix, make = {}, {}

function make.hello(n)
    return wrk.format("GET", "/hello.py?n=" .. n), "hello " .. n
end

function make.classes(n)
    return wrk.format("GET", "/classes.py?n=" .. n), tostring(2 * n)
end

function make.file(n)
    return wrk.format("GET", "/file.txt?n=" .. n), file_text
end

function make.upload(n)
    local body = string.rep(n .. ",", 100 + n % 400)
    return wrk.format("POST", "/echo.py", nil, body), body
end

function make.template(n)
    return wrk.format("GET", "/page.sub.txt?n=" .. n, { ["X-Soak"] = "t" .. n }), "n=" .. n .. " host=localhost method=t" .. n .. "\n"
end

function make.pipe(n)
    local from = n % 500
    return wrk.format("GET", "/file.txt?pipe=slice(" .. from .. "," .. from + 100 .. ")"), string.sub(file_text, from + 1, from + 100)
end

function make.leak(n)
    return wrk.format("GET", "/leak.py?how=" .. leak), "leaked"
end

function init(args)
    local file = assert(io.open(args[1] .. "/file.txt", "rb"))
    file_text = file:read("*a")
    file:close()
    WEIGHTS.classes, leak = tonumber(args[2]), args[3]
    if leak then WEIGHTS.leak = 5 end
    for kind, weight in pairs(WEIGHTS) do
        for _ = 1, weight do table.insert(mix, kind) end
    end
    table.sort(mix)
    wrong, cut, closed, histogram, example = {}, {}, {}, {}, ""
    -- A step that shares no factor with the length visits every entry, kinds well mixed.
    step = 37
    while #mix % step == 0 do step = step + 2 end
    number = id * 1000003
end

function request()
    number = number + 1
    kind = mix[number * step % #mix + 1]
    local text
    text, expected = make[kind](number % 1000000)
    begun = milliseconds()
    return text
end

local function count(counts)
    counts[kind] = (counts[kind] or 0) + 1
end

function response(status, headers, body)
    local took = milliseconds() - begun
    if status ~= 200 or body ~= expected then
        if status == 200 and string.sub(expected, 1, #body) == body then
            count(cut)
        else
            count(wrong)
            if example == "" then example = kind .. ": status " .. status .. ", " .. string.sub(body, 1, 200) end
        end
    end
    -- wrk counts a read error when the end of the connection is the end of an answer.
    if not headers["Content-Length"] and not headers["Transfer-Encoding"] then count(closed) end
    local bucket = kind .. " " .. math.floor(math.log(math.max(took, 0.001)) / math.log(2) * BUCKETS)
    histogram[bucket] = (histogram[bucket] or 0) + 1
end

local function merged(name)
    local sum, parts = {}, {}
    for _, thread in ipairs(threads) do
        for key, value in pairs(thread:get(name)) do sum[key] = (sum[key] or 0) + value end
    end
    for key, value in pairs(sum) do table.insert(parts, string.format("%q:%d", key, value)) end
    return string.format("%q:{%s}", name, table.concat(parts, ","))
end

function done(summary, latency, requests)
    local examples = {}
    for _, thread in ipairs(threads) do
        local text = thread:get("example")
        if text ~= "" then table.insert(examples, '"' .. string.gsub(text, '[^%w%p ]', " "):gsub('[\\"]', "'") .. '"') end
    end
    io.write(string.format('{"requests":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,%s,%s,%s,%s,"examples":[%s]}\n',
        summary.requests, summary.errors.connect, summary.errors.read, summary.errors.write, summary.errors.timeout,
        merged("wrong"), merged("cut"), merged("closed"), merged("histogram"), table.concat(examples, ",")))
end

-- 1 MiB to one of sixteen names, which are there after the first times.
local requests = {}
local count = 0

function init(args)
    local content = string.rep("x", 1048576)
    for i = 0, 15 do
        requests[i] = wrk.format("PUT", "/upload/" .. i .. ".bin", nil, content)
    end
end

function request()
    count = count + 1
    return requests[count % 16]
end

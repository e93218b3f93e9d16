-- Sixteen requests at a time on each connection; wrk counts them by what this returns.
local requests

function init(args)
    requests = string.rep(wrk.format(), 16)
end

function request()
    return requests
end

-- One of 100,000 files, the same sequence for every server.
math.randomseed(1)

function request()
    return wrk.format("GET", string.format("/many/%05d.html", math.random(0, 99999)))
end

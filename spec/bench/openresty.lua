-- For wrk: each connection asks, then rests for 1 ms, so that latency is measured and not how much
-- a worker that is fully busy can do; prints one row of figures.
-- SPDX-License-Identifier: MIT
-- luacheck: globals delay done

function delay()
  return 1
end

function done(summary, latency)
  io.write(("row:%-44s %8.2f %8.2f %8.2f %8.2f %9d"):format(os.getenv "TITLE",
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000,
    latency.max / 1000, summary.requests), "\n")
end

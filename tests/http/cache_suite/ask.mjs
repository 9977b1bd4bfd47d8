// SPDX-License-Identifier: BSD-3-Clause
// Runs the suite in the folder SUITE against its server at BASE, each request through the proxy at
// PROXY, and prints one JSON object: {id: {kind, result}}; see run. ID: that test alone.
import undici from 'undici'

const { SUITE, BASE, PROXY, ID } = process.env

// The suite knows no proxies. What goes to its server goes to ours, in absolute form.
const dispatch = undici.Agent.prototype.dispatch
undici.Agent.prototype.dispatch = function (options, handler) {
  if (String(options.origin) !== BASE) return dispatch.call(this, options, handler)
  const host = new URL(BASE).host
  let headers = options.headers ?? {}
  if (Array.isArray(headers)) {
    headers = headers.concat(Array.isArray(headers[0]) ? [['host', host]] : ['host', host])
  } else if (typeof headers[Symbol.iterator] === 'function') {
    headers = [...headers, ['host', host]]
  } else {
    headers = { ...headers, host }
  }
  return dispatch.call(this, { ...options, origin: PROXY, path: BASE + options.path, headers }, handler)
}
undici.setGlobalDispatcher(new undici.Agent())
globalThis.fetch = undici.fetch
globalThis.Headers = undici.Headers

const { runTests, getResults } = await import(SUITE + '/test-engine/client/runner.mjs')
const suites = (await import(SUITE + '/tests/index.mjs')).default
// What concerns content delivery networks is not for a forward proxy.
const ours = suites.filter((suite) => !suite.id.includes('cdn')).map((suite) => ({
  ...suite,
  tests: suite.tests.filter((test) => !ID || test.id === ID)
}))
await runTests(ours, false, BASE)

const results = getResults()
const told = {}
for (const suite of ours) {
  for (const test of suite.tests) {
    // Those for browsers alone did not run.
    if (test.id in results) told[test.id] = { kind: test.kind ?? 'required', result: results[test.id] }
  }
}
process.stdout.write(JSON.stringify(told))

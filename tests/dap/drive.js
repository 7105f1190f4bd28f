// Drives the adapter with the client that others wrote: node drive.js SCENARIO COMMAND ARGUMENT...
// launch, breakpoint, variables, set variable, step, failure, restart frame, continue, end, on three agents.
'use strict';

const assert = require('assert');
const { DebugClient } = require('@vscode/debugadapter-testsupport');

const [program, command, ...args] = process.argv.slice(2);

class Client extends DebugClient {
  // Its own way of starting an adapter knows a runtime and one file.
  start() {
    const child = require('child_process').spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.ended = new Promise((resolve) => child.on('exit', resolve));
    this.connect(child.stdout, child.stdin);
  }
}

const lineOf = (text) =>
  require('fs').readFileSync(program, 'utf8').split('\n').findIndex((line) => line.includes(text)) + 1;

async function stopped(client, lead) {
  const [event] = await Promise.all([client.waitForEvent('stopped'), lead()]);
  const stack = await client.stackTraceRequest({ threadId: event.body.threadId });
  return { ...event.body, frames: stack.body.stackFrames, total: stack.body.totalFrames };
}

async function scopesOf(client, frame) {
  const { scopes } = (await client.scopesRequest({ frameId: frame.id })).body;
  const found = {};
  for (const scope of scopes) {
    const { variables } = (await client.variablesRequest({ variablesReference: scope.variablesReference })).body;
    found[scope.name] = {
      reference: scope.variablesReference,
      values: Object.fromEntries(variables.map((each) => [each.name, each.value])),
    };
  }
  return found;
}

async function main() {
  const client = new Client('', '', 'octogram');
  client.defaultTimeout = 60000;
  client.start();
  const output = [];
  client.on('output', (event) => output.push(event.body));

  const probe = lineOf('name: probe');
  await client.hitBreakpoint(
    { program },
    { path: program, line: probe + 2 }, // within the job's script: it moves to where the job begins
    { path: program, line: probe },
    { path: program, line: probe },
  );
  const threads = (await client.threadsRequest()).body.threads;
  assert.deepStrictEqual(threads.map((each) => each.name), ['n_1', 'n_2', 'n_3']);

  // Variables, of the agent that has come to it first; they are set for all.
  const at = async (id) => (await client.stackTraceRequest({ threadId: id })).body.stackFrames;
  let frames = await at(threads[0].id);
  assert.deepStrictEqual(frames.map((each) => each.line), [probe, lineOf('name: measure')]);
  let scopes = await scopesOf(client, frames[0]);
  assert.deepStrictEqual(Object.keys(scopes), ['arguments', 're', 'agent', 'vars']);
  assert.strictEqual(scopes.vars.values.level, '1');
  assert.strictEqual(scopes.agent.values.name, '"n_1"');
  const set = await client.setVariableRequest({
    variablesReference: scopes.vars.reference, name: 'level', value: '3',
  });
  assert.strictEqual(set.body.value, '3');
  await client.setBreakpointsRequest({ source: { path: program }, breakpoints: [] });

  // A step, of one agent alone: what was held before it was set sees a copy of what was.
  let stop = await stopped(client, () => client.nextRequest({ threadId: threads[0].id }));
  assert.strictEqual(stop.reason, 'step');
  assert.strictEqual(stop.threadId, threads[0].id);
  assert.strictEqual(stop.frames[0].line, lineOf('name: judge'));
  assert.strictEqual((await at(threads[2].id))[0].line, probe);

  // A failure, of the job that is too much on one of them.
  stop = await stopped(client, () => client.continueRequest({ threadId: threads[0].id }));
  assert.strictEqual(stop.reason, 'exception');
  const failed = threads.find((each) => each.id === stop.threadId).name;
  assert.strictEqual(failed, 'n_2');
  assert.strictEqual(stop.frames[0].line, lineOf('name: judge'));
  const info = (await client.exceptionInfoRequest({ threadId: stop.threadId })).body;
  assert.strictEqual(info.exceptionId, 'exit');
  assert.match(info.details.stackTrace, /3 is too much/);
  assert.ok(output.some((each) => each.category === 'stderr' && each.line === lineOf('name: judge')));
  await assert.rejects(client.nextRequest({ threadId: stop.threadId }), /rerun or skip it first/);

  // The frame again, with another value.
  scopes = await scopesOf(client, stop.frames[0]);
  await client.setVariableRequest({ variablesReference: scopes.vars.reference, name: 'level', value: '2' });
  const frameId = stop.frames[0].id;
  stop = await stopped(client, () => client.restartFrameRequest({ frameId }));
  assert.strictEqual(stop.reason, 'restart');
  assert.deepStrictEqual(stop.frames.map((each) => each.name), ['sum up (held)', 'stage measure (held)']);

  // And to the end.
  const ended = Promise.all([client.waitForEvent('exited'), client.waitForEvent('terminated')]);
  await client.continueRequest({ threadId: stop.threadId });
  const [exited] = await ended;
  assert.strictEqual(exited.body.exitCode, 0);
  await client.disconnectRequest();
  assert.strictEqual(await client.ended, 0);
}

main().then(
  () => console.log('driven to its end'),
  (error) => { console.error(error); process.exit(1); },
);

-- Drives the adapter from Neovim, over a channel of its own and with its own JSON: nvim -l is newer than what Debian has, so
-- nvim --headless -u NONE -S drive.lua, with OCTOGRAM_TEST_SCENARIO and OCTOGRAM_TEST_COMMAND (JSON) in the environment.
-- A run from its beginning to its end with a breakpoint; then its replay, forward and back. Lines and columns count from 0.

local scenario = vim.env.OCTOGRAM_TEST_SCENARIO
local command = vim.json.decode(vim.env.OCTOGRAM_TEST_COMMAND)
local PATIENCE_MS = 60000

local Client = {}
Client.__index = Client

function Client.start()
  local self = setmetatable({ seq = 0, answers = {}, events = {}, rest = '', code = nil }, Client)
  self.job = vim.fn.jobstart(command, {
    on_stdout = function(_, data) self:take(table.concat(data, '\n')) end,
    on_stderr = function(_, data) io.stderr:write(table.concat(data, '\n')) end,
    on_exit = function(_, code) self.code = code end,
  })
  assert(self.job > 0, 'the adapter cannot be started')
  return self
end

function Client:take(text)
  self.rest = self.rest .. text
  while true do
    local head, length, from = self.rest:match('^(Content%-Length: (%d+)\r\n\r\n)()')
    if not head or #self.rest - from + 1 < tonumber(length) then return end
    local body = self.rest:sub(from, from + length - 1)
    self.rest = self.rest:sub(from + length)
    local message = vim.json.decode(body)
    if message.type == 'event' then
      table.insert(self.events, message)
    else
      self.answers[message.request_seq] = message
    end
  end
end

function Client:wait(what, condition)
  local found
  vim.wait(PATIENCE_MS, function()
    found = condition()
    return found ~= nil
  end, 5)
  assert(found ~= nil, 'nothing came: ' .. what)
  return found
end

function Client:ask(name, arguments)
  self.seq = self.seq + 1
  local seq = self.seq
  local body = vim.json.encode({ seq = seq, type = 'request', command = name, arguments = arguments or vim.empty_dict() })
  vim.fn.chansend(self.job, 'Content-Length: ' .. #body .. '\r\n\r\n' .. body)
  local answer = self:wait(name, function() return self.answers[seq] end)
  assert(answer.success, name .. ': ' .. tostring(answer.message))
  return answer.body
end

function Client:event(name)
  return self:wait(name, function()
    for at, event in ipairs(self.events) do
      if event.event == name then
        table.remove(self.events, at)
        return event.body or {}
      end
    end
  end)
end

function Client:top(thread)
  return self:ask('stackTrace', { threadId = thread, startFrame = 0, levels = 1 }).stackFrames[1]
end

function Client:begin(arguments)
  self:ask('initialize', { adapterID = 'octogram', clientID = 'neovim', linesStartAt1 = false, columnsStartAt1 = false })
  self:ask('launch', arguments)
  self:event('initialized')
end

function Client:leave()
  self:ask('disconnect')
  assert(self:wait('the end', function() return self.code end) == 0)
end

local function line_of(text)
  for number, line in ipairs(vim.fn.readfile(scenario)) do
    if line:find(text, 1, true) then return number - 1 end
  end
end

local function same(got, wanted)
  assert(vim.deep_equal(got, wanted), vim.inspect(got) .. ' is not ' .. vim.inspect(wanted))
end

local function run()
  local client = Client.start()
  client:begin({ program = scenario })
  local set = client:ask('setBreakpoints', {
    source = { path = scenario },
    breakpoints = { { line = line_of('name: judge'), condition = 'agent.name == "n_3"' } },
  }).breakpoints[1]
  same({ set.verified, set.line }, { true, line_of('name: judge') })
  client:ask('configurationDone')
  local stop = client:event('stopped')
  same({ stop.reason, stop.hitBreakpointIds, stop.threadId }, { 'breakpoint', { set.id }, 3 })
  local frame = client:top(3)
  same({ frame.line, frame.column }, { line_of('name: judge'), 0 })
  local value = client:ask('evaluate', { expression = 'level', context = 'hover', frameId = frame.id })
  same(value.result, '1')
  client:ask('continue', { threadId = 3 })
  same(client:event('exited').exitCode, 0)
  client:event('terminated')
  client:leave()
end

local function replay()
  local client = Client.start()
  client:begin({ replay = 'last' })
  same(client:event('capabilities').capabilities.supportsStepBack, true)
  client:ask('setBreakpoints', { source = { path = scenario }, breakpoints = { { line = line_of('name: judge') } } })
  client:ask('configurationDone')
  same(client:event('stopped').reason, 'entry')
  client:ask('continue', { threadId = 2 })
  local stop = client:event('stopped')
  same({ stop.reason, client:top(stop.threadId).line }, { 'breakpoint', line_of('name: judge') })
  client:ask('next', { threadId = stop.threadId })
  client:event('stopped')
  same(client:top(stop.threadId).line, line_of('name: sum up'))
  client:ask('stepBack', { threadId = stop.threadId })
  client:event('stopped')
  same(client:top(stop.threadId).line, line_of('name: judge'))
  client:ask('stepBack', { threadId = stop.threadId })
  client:event('stopped')
  same(client:top(stop.threadId).line, line_of('name: probe'))
  client:ask('reverseContinue', { threadId = stop.threadId })
  same(client:event('stopped').reason, 'pause')
  client:leave()
end

local ok, trouble = pcall(function()
  run()
  replay()
end)
io.stdout:write(ok and 'driven to its end\n' or 'failed: ' .. tostring(trouble) .. '\n')
vim.cmd(ok and 'qall!' or 'cquit!')

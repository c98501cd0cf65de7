<?php
// A small chat service on Swoole, with the habits that sidebeat is put in front of. Nothing in it knows of the sidecar.
//
// Text messages           JSON messages                                     what happens
//   join ROOM               {"type":"join","room":"r","name":"n"}             moves to a room (everybody starts in "lobby")
//   who                     {"type":"who"}                                    who is in the room
//   ping                    {"type":"ping"}                                   an application's pong
//   anything else           {"type":"say","text":"…"}                         goes to everybody in the room
//   close                   {"type":"close"}                                  $server->close: TCP ends without a Close frame
//   disconnect CODE WHY     {"type":"disconnect","code":4001,"reason":"…"}    $server->disconnect: a Close frame with that code
//                                                                           (unchecked: 1006, which no frame may carry, goes out too)
//   sleep SECONDS           {"type":"sleep","seconds":5}                      blocks a worker: no pong from it meanwhile
//
// Environment: CHAT_HOST, CHAT_PORT, CHAT_WORKERS, CHAT_IDLE_TIME and CHAT_CHECK_INTERVAL (seconds), and CHAT_PROXIES: how
// many proxies stand in front of the sidecar and append to X-Forwarded-For (0, or 1 for nginx, an ingress or the like).

declare(strict_types=1);

use Swoole\Http\Request;
use Swoole\Http\Response;
use Swoole\Table;
use Swoole\WebSocket\Frame;
use Swoole\WebSocket\Server;

function env(string $name, string $default): string
{
    $value = getenv($name);

    return $value === false || $value === '' ? $default : $value;
}

// Shared memory: a connection belongs to one worker, but its room is everybody's business.
$members = new Table(65536);
$members->column('room', Table::TYPE_STRING, 64);
$members->column('name', Table::TYPE_STRING, 64);
$members->create();

// SWOOLE_PROCESS: the master's reactor threads hold the sockets, and workers may push to each other's connections. It
// also means that a blocked worker's clients still look alive to the built-in heartbeat, which counts in the reactor.
$server = new Server(env('CHAT_HOST', '127.0.0.1'), (int) env('CHAT_PORT', '9501'), SWOOLE_PROCESS);
$server->set([
    'worker_num' => (int) env('CHAT_WORKERS', '2'),
    'enable_coroutine' => false,    // as most old services run: one request at a time in a worker, so `sleep` blocks
    // The built-in heartbeat: who sent no byte for idle_time is dropped, found by a walk over all connections each
    // check_interval, with no Close frame. Behind the sidecar its pings keep this from ever firing.
    'heartbeat_idle_time' => (int) env('CHAT_IDLE_TIME', '60'),
    'heartbeat_check_interval' => (int) env('CHAT_CHECK_INTERVAL', '10'),
    'websocket_compression' => true,
    'log_level' => SWOOLE_LOG_WARNING,
]);

function say(string $event, array $fields = []): void
{
    echo date('c'), ' ', json_encode(['event' => $event] + $fields, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE), "\n";
}

/**
 * The address of the client. Each proxy on the way has appended that of whoever connected to it, so the client's is found
 * from the right; what stands further left the client may have made up. Without a proxy it is the peer's own.
 */
function client(Request $request): string
{
    $chain = array_map('trim', explode(',', $request->header['x-forwarded-for'] ?? $request->server['remote_addr']));

    return $chain[count($chain) - 1 - (int) env('CHAT_PROXIES', '0')] ?? $chain[0];
}

function send(Server $server, int $fd, array $message): void
{
    // A connection may have gone, or not be a WebSocket yet; pushing to it would only be a warning in the log.
    if ($server->isEstablished($fd)) {
        $server->push($fd, json_encode($message, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE));
    }
}

function broadcast(Server $server, Table $members, string $room, array $message): void
{
    foreach ($members as $fd => $member) {
        if ($member['room'] === $room) {
            send($server, (int) $fd, $message);
        }
    }
}

/** Both spellings of a command become one array with a `type`. */
function parse(string $data): array
{
    $json = json_decode($data, true);
    if (is_array($json) && is_string($json['type'] ?? null)) {
        return $json;
    }
    $words = explode(' ', $data, 3);

    return match ($words[0]) {
        'who', 'ping', 'close' => ['type' => count($words) === 1 ? $words[0] : 'say', 'text' => $data],
        'join' => ['type' => 'join', 'room' => $words[1] ?? ''],
        'disconnect' => ['type' => 'disconnect', 'code' => (int) ($words[1] ?? 1000), 'reason' => $words[2] ?? ''],
        'sleep' => ['type' => 'sleep', 'seconds' => (int) ($words[1] ?? 5)],
        default => ['type' => 'say', 'text' => $data],
    };
}

/** A field of a client's JSON, cut to what a Close frame or a table column holds; anything but a text is the default. */
function field(array $command, string $name, string $default): string
{
    $value = $command[$name] ?? null;

    return is_string($value) && $value !== '' ? substr($value, 0, 63) : $default;
}

function number(array $command, string $name, int $default): int
{
    return is_int($command[$name] ?? null) ? $command[$name] : $default;
}

$server->on('open', function (Server $server, Request $request) use ($members): void {
    if ($request->server['request_uri'] === '/health') {
        return;    // a health check, which opens a WebSocket every few seconds: no member, so that nobody hears of it
    }
    $members->set((string) $request->fd, ['room' => 'lobby', 'name' => "guest-{$request->fd}"]);
    say('open', [
        'fd' => $request->fd,
        'worker' => $server->worker_id,
        'client' => client($request),
    ]);
    send($server, $request->fd, ['type' => 'welcome', 'fd' => $request->fd, 'room' => 'lobby', 'worker' => $server->worker_id]);
});

$server->on('message', function (Server $server, Frame $frame) use ($members): void {
    $fd = $frame->fd;
    $me = $members->get((string) $fd);
    if ($me === false) {
        return;
    }
    if ($frame->opcode === WEBSOCKET_OPCODE_BINARY) {
        $server->push($fd, $frame->data, WEBSOCKET_OPCODE_BINARY);    // binary is echoed
        return;
    }
    $command = parse($frame->data);
    switch ($command['type']) {
        case 'join':
            $room = field($command, 'room', 'lobby');
            $name = field($command, 'name', $me['name']);
            $members->set((string) $fd, ['room' => $room, 'name' => $name]);
            broadcast($server, $members, $room, ['type' => 'joined', 'room' => $room, 'name' => $name]);
            break;
        case 'who':
            $names = [];
            foreach ($members as $member) {
                if ($member['room'] === $me['room']) {
                    $names[] = $member['name'];
                }
            }
            send($server, $fd, ['type' => 'who', 'room' => $me['room'], 'names' => $names]);
            break;
        case 'ping':
            send($server, $fd, ['type' => 'pong', 'timestamp' => time()]);
            break;
        case 'say':
            broadcast($server, $members, $me['room'], ['type' => 'said', 'name' => $me['name'], 'text' => is_string($command['text'] ?? null) ? $command['text'] : '']);
            break;
        case 'close':
            $server->close($fd);
            break;
        case 'disconnect':
            $server->disconnect($fd, number($command, 'code', 1000), field($command, 'reason', ''));
            break;
        case 'sleep':
            sleep(max(0, min(60, number($command, 'seconds', 5))));
            send($server, $fd, ['type' => 'slept', 'worker' => $server->worker_id]);
            break;
        default:
            send($server, $fd, ['type' => 'error', 'message' => "unknown type: {$command['type']}"]);
    }
});

$server->on('close', function (Server $server, int $fd, int $reactorId) use ($members): void {
    $me = $members->get((string) $fd);
    if ($me === false) {
        return;    // a plain HTTP connection, or a health check
    }
    $members->del((string) $fd);
    // All that Swoole tells: below 0 our own code called close() or disconnect(); else the client, the network or the
    // built-in heartbeat, which of them it does not say. The sidecar's connection_closed record does.
    say('close', ['fd' => $fd, 'reactor' => $reactorId, 'by' => $reactorId < 0 ? 'this code' : 'the client, the network or the heartbeat']);
    broadcast($server, $members, $me['room'], ['type' => 'left', 'room' => $me['room'], 'name' => $me['name']]);
});

// The same port serves plain HTTP.
$server->on('request', function (Request $request, Response $response) use ($members): void {
    switch ($request->server['request_uri']) {
        case '/health':
            $response->header('Content-Type', 'application/json');
            $response->end(json_encode(['status' => 'ok', 'connections' => count($members)]));
            break;
        case '/':
            $response->header('Content-Type', 'text/html; charset=utf-8');
            $response->sendfile(__DIR__ . '/chat.html');
            break;
        default:
            $response->status(404);
            $response->end("not found\n");
    }
});

say('start', ['port' => $server->port, 'swoole' => SWOOLE_VERSION]);
$server->start();

// The worst that a client can do to the memory of a server, what it costs, and which clients lose.
//
// The heap's growth is compared with what is counted, so a version of a library that takes more fails
// here. Sanitizers have a heap of their own, whose growth is 0.
#include <malloc.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <string_view>

#include "control/streams/quic/memory.h"
#include "http3_test_client.h"
#include "memory_attacks.h"
#include "support/qpack_literals.h"
#include "world.h"

namespace steer::quic::test {
namespace {

constexpr unsigned kStreams = 100, kPieces = 995;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::size_t heap() {
    const auto all = ::mallinfo2();
    return all.uordblks + all.hblkhd;
}

void receive(World& w, const Datagram& one) {
    w.server->receive(w.service, one.bytes, 0, {one.path.remote, one.path.local}, w.times());
    w.server->flush(w.times());
    w.sent.clear();
}

// Moves datagrams of one client alone: other clients of a large world are silent.
void run_alone(World& w, Client& client) {
    for (unsigned quiet = 0; quiet < 3; ++quiet, w.now += kMillisecond) {
        for (const Datagram& one : client.write(w.now)) {
            w.server->receive(w.service, one.bytes, 0, {one.path.remote, one.path.local},
                              w.times());
            quiet = 0;
        }
        w.server->flush(w.times());
        w.server->expire(w.times());
        for (const Datagram& one : std::exchange(w.sent, {})) {
            if (client.is_at(one.path.remote)) client.read(one, w.now);
            quiet = 0;
        }
    }
}

config::ServerLimits many() {
    config::ServerLimits limits;
    limits.max_connections_per_client = 10'000;
    limits.idle_timeout = std::chrono::milliseconds(600'000);
    return limits;
}

// ---- each way to hold much. An attack ends when its connection does.

void hold_by_holes(World& w, Client& client) {
    send_holes(kStreams, kPieces, [&](const Bytes& frames) {
        receive(w, client.forge(frames));
        return w.get(QuicCount::over_connection_memory) == 0;
    });
}

// Half of a handshake: a hello that never ends, in pieces.
void hold_by_half_handshakes(World& w, Client& client) {
    Bytes frames;
    for (unsigned offset = 4'000; offset < 60'000; offset += 2) {
        put_crypto_piece(frames, offset);
        if (frames.size() < kForged) continue;
        receive(w, client.forge(frames, Client::Space::initial));
        frames.clear();
    }
}

// Each id that is given back is replaced by another one, as far as packets leave without an
// acknowledgement.
void hold_by_ids(World& w, Client& client) {
    constexpr std::uint8_t kRetire = 0x19;
    for (unsigned number = 1; number < 9; ++number) {
        Bytes frames{kRetire};
        put_number(frames, number);
        receive(w, client.forge(frames));
    }
}

// Each datagram comes from another address, and asks for an answer of its path.
void hold_by_paths(World& w, Client& client) {
    constexpr std::uint8_t kChallenge = 0x1a;
    for (unsigned number = 0; number < 2'000; ++number) {
        Bytes frames(9 * 8);
        for (std::size_t at = 0; at < frames.size(); at += 9)
            frames[at] = kChallenge;
        Datagram one = client.forge(frames);
        one.path.local = stream::SocketAddress(one.path.local.address(),
                                               static_cast<std::uint16_t>(1'000 + number));
        receive(w, one);
    }
}

// Packets that are acknowledged one by one, because each second one is lost.
void hold_by_acknowledgements(World& w, Client& client) {
    for (unsigned number = 0; number < 4'000; ++number) {
        const Datagram one = client.forge({1});
        if (number % 2 == 0) receive(w, one);
    }
}

// Streams that begin and are reset.
void hold_by_resets(World& w, Client& client) {
    constexpr std::uint8_t kReset = 0x04;
    for (unsigned stream = 0; stream < kStreams; ++stream) {
        Bytes frames;
        put_piece(frames, 4 * stream, 9);
        frames.push_back(kReset);
        put_number(frames, 4 * stream);
        put_number(frames, 0);
        put_number(frames, 10);
        receive(w, client.forge(frames));
    }
}

// Heads of HTTP/3 that never end: short fields, and the rest of a long one.
void hold_by_heads(World& w, Client& client) {
    for (unsigned stream = 0; stream < kStreams; ++stream) {
        Bytes bytes{0x01, 0x5f, 0xff, 0x00, 0x00};  // HEADERS of 8,191 bytes
        for (unsigned field = 0; field < 150; ++field)
            steer::test::put_qpack_literal(bytes, "forwarded", "192.0.2.1");
        for (std::size_t at = 0; at < bytes.size(); at += 1'000) {
            const std::size_t length = std::min<std::size_t>(1'000, bytes.size() - at);
            Bytes frames{0x0e};
            put_number(frames, 4 * stream);
            put_number(frames, at);
            put_number(frames, length);
            frames.insert(frames.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                          bytes.begin() + static_cast<std::ptrdiff_t>(at + length));
            receive(w, client.forge(frames));
        }
    }
}

// A query and its answer.
void ask(World& w, Client& client, bool is_http) {
    std::unique_ptr<Http3TestClient> http;
    if (is_http) {
        http = std::make_unique<Http3TestClient>(client);
        http->get("/dns-query?dns=AAABAAABAAAAAAAAB2V4YW1wbGUAAAEAAQ");
        http->turn();
    } else {
        client.send(framed(message()));
    }
    run_alone(w, client);
    for (const Passed& one : std::exchange(w.passed, {}))
        w.answer(one, Bytes(3'000));
    run_alone(w, client);
    if (http != nullptr) http->turn();
}

struct Attack {
    std::string_view name;
    void (*hold)(World&, Client&);
    bool is_half = false, is_http = false;
    std::size_t more_hello = 0;
};
constexpr std::array kAttacks{
    Attack{"nothing", [](World&, Client&) {}},
    Attack{"a query", [](World& w, Client& client) { ask(w, client, false); }},
    Attack{"holes", hold_by_holes},
    Attack{"half handshakes", hold_by_half_handshakes, true},
    Attack{"a half handshake", [](World&, Client&) {}, true},
    Attack{"a long hello", [](World&, Client&) {}, true, false, 9'000},
    Attack{"ids", hold_by_ids},
    Attack{"paths", hold_by_paths},
    Attack{"acknowledgements", hold_by_acknowledgements},
    Attack{"resets", hold_by_resets},
    Attack{"HTTP/3", [](World&, Client&) {}, false, true},
    Attack{"a query over HTTP/3", [](World& w, Client& client) { ask(w, client, true); }, false,
           true},
    Attack{"heads", hold_by_heads, false, true},
};

std::unique_ptr<World> world_for(const Attack& attack) {
    if (!attack.is_http) return std::make_unique<World>(many());
    return std::make_unique<World>(HttpPaths{{{"/dns-query", false}}, "forwarded"}, many());
}

void attack_once(World& w, const Attack& attack) {
    Client::Settings settings;
    if (attack.is_http) settings.alpn = "h3";
    settings.more_hello = attack.more_hello;
    Client& client = w.connect(settings);
    if (attack.is_half) {
        for (const Datagram& one : client.write(w.now))
            receive(w, one);
    } else {
        run_alone(w, client);
        BOOST_TEST_REQUIRE(client.is_complete);
    }
    attack.hold(w, client);
    w.clients.clear();
}

BOOST_AUTO_TEST_SUITE(memory_worst)

BOOST_AUTO_TEST_CASE(what_the_heap_takes_for_a_connection_is_counted_and_limited) {
    for (const Attack& attack : kAttacks) {
        BOOST_TEST_CONTEXT(attack.name) {
            const auto w = world_for(attack);
            for (unsigned i = 0; i < 2; ++i)
                attack_once(*w, attack);
            constexpr unsigned kTimes = 8;
            const std::size_t heap_before = heap(), counted_before = w->memory->used();
            for (unsigned i = 0; i < kTimes; ++i)
                attack_once(*w, attack);
            const auto counted = w->memory->used() - counted_before;
            const auto heap_after = heap();
            const auto taken = heap_after > heap_before ? heap_after - heap_before : 0;
            BOOST_TEST_MESSAGE(attack.name << ": " << taken / kTimes << " bytes of the heap, "
                                           << counted / kTimes << " counted");
            BOOST_TEST(taken <= counted + 2'048 * kTimes);  // spare nodes of the thread
            BOOST_TEST(counted <= kTimes * most_of_connection(kStreams));
        }
    }
}

BOOST_AUTO_TEST_CASE(pieces_behind_holes_end_their_connection_at_its_limit_and_no_other) {
    World w;
    Client& lawful = w.connected();
    Client& attacker = w.connected();
    const std::size_t before = w.memory->used();
    std::size_t most = before;
    send_holes(kStreams, kPieces, [&](const Bytes& frames) {
        receive(w, attacker.forge(frames));
        most = std::max<std::size_t>(most, w.memory->used());
        return w.get(QuicCount::over_connection_memory) == 0;
    });
    BOOST_TEST(w.get(QuicCount::over_connection_memory) == 1U);
    BOOST_TEST(most <= before + most_of_connection(kStreams));
    BOOST_TEST(w.server->open() == 1U);
    BOOST_TEST(w.service->counts->in_all() == 1U);
    lawful.send(framed(message()));
    w.run();
    BOOST_TEST(w.passed.size() == 1U);
    // Its next packet gets a stateless reset.
    attacker.send(framed(message()));
    w.run();
    BOOST_TEST(attacker.has_reset);
}

// A burst of loss: of each query, only a later packet arrives. It holds what it may hold.
BOOST_AUTO_TEST_CASE(a_client_that_loses_the_first_packet_of_all_its_queries_is_served) {
    World w;
    Client& client = w.connected();
    send_holes(kStreams, 1, [&](const Bytes& frames) {
        receive(w, client.forge(frames));
        return true;
    });
    BOOST_TEST(w.server->open() == 1U);
    BOOST_TEST_MESSAGE("streams behind holes hold " << w.memory->used() / kStreams
                                                    << " bytes each");
    BOOST_TEST(w.memory->used() > std::size_t{1} << 20);
    BOOST_TEST(w.get(QuicCount::over_connection_memory) == 0U);
}

// Longest queries in pieces, and as many streams as there may be: a lawful client ends nowhere.
BOOST_AUTO_TEST_CASE(as_many_queries_as_a_client_may_have_stay_below_the_limit) {
    for (const unsigned streams : {100U, 1'000U}) {
        auto limits = many();
        limits.max_queries = streams;
        World w(limits);
        Client& client = w.connected();
        Bytes longest = message();
        longest.resize(65'535);
        client.send(framed(longest));
        for (unsigned i = 1; i < streams; ++i)
            client.send(framed(message()));
        w.pass(2'000);
        BOOST_REQUIRE_EQUAL(w.passed.size(), streams);
        for (const Passed& one : std::exchange(w.passed, {}))
            w.answer(one, Bytes(900'000 / streams));
        w.pass(2'000);
        BOOST_TEST(w.get(QuicCount::answers) == streams);
        BOOST_TEST(w.get(QuicCount::over_connection_memory) == 0U);
        BOOST_TEST(!client.end.has_value());
    }
}

// Whatever a library was about when it found no memory: its connection ends, and the next one is
// served as if nothing had been.
BOOST_AUTO_TEST_CASE(each_allocation_that_fails_ends_its_connection_alone) {
    for (const bool is_http : {false, true}) {
        const auto w = world_for({"", nullptr, false, is_http});
        Client::Settings settings;
        if (is_http) settings.alpn = "h3";
        const auto serves = [&] {
            const auto before = w->get(QuicCount::answers);
            Client& client = w->connect(settings);
            run_alone(*w, client);
            if (client.is_complete && !client.has_reset) ask(*w, client, is_http);
            w->clients.clear();
            w->passed.clear();
            return w->get(QuicCount::answers) > before;
        };
        BOOST_TEST_REQUIRE(serves());
        unsigned takes = 0, failed = 0;
        for (;; ++takes) {
            const auto ended = w->get(QuicCount::over_connection_memory);
            w->memory->refuse_after(takes);
            const bool is_served = serves();
            w->memory->refuse_after(UINT64_MAX);
            failed += w->get(QuicCount::over_connection_memory) > ended ? 1U : 0U;
            if (is_served && w->get(QuicCount::over_connection_memory) == ended) break;
            BOOST_TEST_REQUIRE(takes < 2'000U);
            if (takes % 16 == 0) BOOST_TEST_REQUIRE(serves());
        }
        BOOST_TEST(failed > 30U);
        BOOST_TEST(serves());
    }
}

// The memory of a small box, which an attack fills: 500 phones behind one address keep what they asked,
// and 40 connections of another one go, the worst first.
BOOST_AUTO_TEST_CASE(phones_behind_one_address_keep_their_queries_on_a_box_of_256_mib) {
    const Memory memory = memory_of(256 * kMiB, 1);
    World w(many());
    w.limit_memory(memory.bytes, memory.reserve);
    // Each attacker stays below the limit of its connection.
    constexpr unsigned kPhones = 500, kAttackers = 40, kFewPieces = 10;
    for (unsigned i = 0; i < kPhones; ++i) {
        Client& phone = w.connect();
        run_alone(w, phone);
        for (unsigned query = 0; query < 2; ++query)
            phone.send(framed(message()));
        run_alone(w, phone);
    }
    BOOST_REQUIRE_EQUAL(w.passed.size(), 2 * kPhones);
    BOOST_TEST_MESSAGE("phones hold " << w.memory->used() / kPhones << " bytes each");
    std::uint64_t most = 0;
    for (unsigned i = 0; i < kAttackers; ++i) {
        Client& attacker = w.connect({.address = "198.51.100.7"});
        run_alone(w, attacker);
        send_holes(kStreams, kFewPieces, [&](const Bytes& frames) {
            receive(w, attacker.forge(frames));
            most = std::max(most, w.process->used());
            return true;
        });
    }
    BOOST_TEST_MESSAGE("closed " << w.get(QuicCount::over_process_memory) << ", used at most "
                                 << most);
    BOOST_TEST(w.get(QuicCount::over_process_memory) > 0U);
    BOOST_TEST(w.get(QuicCount::over_connection_memory) == 0U);
    BOOST_TEST(most <= memory.bytes);
    for (const Passed& one : std::exchange(w.passed, {}))
        w.answer(one, message());
    w.server->flush(w.times());
    for (unsigned i = 0; i < kPhones; ++i)
        run_alone(w, *w.clients[i]);
    unsigned answered = 0;
    for (unsigned i = 0; i < kPhones; ++i) {
        const Client& phone = *w.clients[i];
        answered += !phone.end && !phone.has_reset ? 1U : 0U;
    }
    BOOST_TEST(answered == kPhones);
    BOOST_TEST(w.get(QuicCount::answers) == 2 * kPhones);
}

BOOST_AUTO_TEST_CASE(a_closed_connection_keeps_little) {
    World w(many());
    for (unsigned i = 0; i < 20; ++i) {
        w.connected().send(framed(message(1)));
        w.run();
        w.clients.clear();
    }
    BOOST_TEST(w.server->ending() > 0U);
    BOOST_TEST(w.memory->used() <= w.server->ending() * (16U << 10));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::quic::test

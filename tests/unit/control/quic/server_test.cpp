// Clients of DNS over QUIC: what they get, and what ends their connection.
#include "control/streams/quic/server.h"

#include <boost/test/unit_test.hpp>

#include "control/streams/quic/doq_streams.h"
#include "world.h"

namespace steer::quic::test {
namespace {

constexpr std::uint64_t kCryptoError = 0x100;  // and the alert of TLS (RFC 9001 4.8)
constexpr std::uint64_t kNoApplicationProtocol = 120;

void check_closed(const Client& client, DoqError code) {
    BOOST_TEST_REQUIRE(client.end.has_value());
    BOOST_TEST(client.end->type == NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION);
    BOOST_TEST(client.end->error_code == code_of(code));
}

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(a_query_is_passed_on_and_answered) {
    World w;
    Client& client = w.connected();
    BOOST_TEST_REQUIRE(client.is_complete);
    const auto stream = client.send(framed(message()));
    w.run();
    BOOST_REQUIRE_EQUAL(w.passed.size(), 1U);
    BOOST_TEST(w.passed[0].message == message());
    BOOST_TEST(w.passed[0].server_name == "dns.example");
    BOOST_TEST(w.passed[0].addresses.remote.port() == 40'000);
    Bytes response = message();
    response[2] = 0x81;
    w.answer(w.passed[0], response);
    w.run();
    BOOST_TEST(client.streams[stream].received == framed(response));
    BOOST_TEST(client.streams[stream].is_ended);
    BOOST_TEST(w.get(QuicCount::queries) == 1U);
    BOOST_TEST(w.get(QuicCount::answers) == 1U);
    BOOST_TEST(w.get(QuicCount::handshakes) == 1U);
}

BOOST_AUTO_TEST_CASE(answers_come_in_any_order_and_of_any_size) {
    World w;
    Client& client = w.connected();
    std::vector<std::int64_t> streams;
    for (unsigned i = 0; i < 20; ++i)
        streams.push_back(client.send(framed(message())));
    w.run();
    BOOST_REQUIRE_EQUAL(w.passed.size(), 20U);
    for (std::size_t i = 20; i-- > 0;)
        w.answer(w.passed[i], Bytes(12 + i * 3'000, static_cast<std::uint8_t>(i)));
    w.pass(2'000);
    for (std::size_t i = 0; i < 20; ++i) {
        BOOST_TEST(client.streams[w.passed[i].stream].received.size() == 2 + 12 + i * 3'000);
        BOOST_TEST(client.streams[w.passed[i].stream].is_ended);
    }
}

BOOST_AUTO_TEST_CASE(the_longest_query_is_taken) {
    World w;
    Client& client = w.connected();
    Bytes longest = message();
    longest.resize(65'535);
    client.send(framed(longest));
    w.pass(1'000);
    BOOST_REQUIRE_EQUAL(w.passed.size(), 1U);
    BOOST_TEST(w.passed[0].message.size() == 65'535U);
}

// More queries than a connection may have at once, one after the other.
BOOST_AUTO_TEST_CASE(streams_that_ended_make_room_for_others) {
    config::ServerLimits limits;
    limits.max_queries = 4;
    World w(limits);
    Client& client = w.connected();
    for (unsigned i = 0; i < 50; ++i) {
        client.send(framed(message()));
        w.run();
        BOOST_REQUIRE_EQUAL(w.passed.size(), i + 1U);
        w.answer(w.passed.back(), message());
        w.run();
    }
    BOOST_TEST(w.get(QuicCount::answers) == 50U);
}

// ---- when datagrams leave

// A round trip is a millisecond here. Nothing waits for a pace of its own.
BOOST_AUTO_TEST_CASE(a_handshake_takes_two_round_trips_and_no_longer) {
    World w;
    Client& client = w.connect();
    for (unsigned i = 0; i < 3; ++i, w.now += kMillisecond) {
        for (const Datagram& one : client.write(w.now))
            w.server->receive(w.service, one.bytes, 0, {one.path.remote, one.path.local},
                              w.times());
        w.server->flush(w.times());
        for (const Datagram& one : std::exchange(w.sent, {}))
            client.read(one, w.now);
    }
    BOOST_TEST(client.is_complete);
    BOOST_TEST(!client.ticket.empty());
    BOOST_TEST(!client.token.empty());
}

// Two packets of queries are acknowledged in the packet of their answers, or soon by themselves.
BOOST_AUTO_TEST_CASE(queries_are_acknowledged_with_their_answers) {
    World w;
    Client& client = w.connected();
    const auto ask = [&] {
        for (unsigned i = 0; i < 2; ++i) {
            client.send(framed(message()));
            for (const Datagram& one : client.write(w.now))
                w.server->receive(w.service, one.bytes, 0, {one.path.remote, one.path.local},
                                  w.times());
        }
        w.server->flush(w.times());
        w.server->expire(w.times());
    };
    ask();
    BOOST_REQUIRE_EQUAL(w.passed.size(), 2U);
    BOOST_TEST(w.sent.empty());
    for (const Passed& one : w.passed)
        w.answer(one, message());
    w.server->flush(w.times());
    BOOST_TEST(w.sent.size() == 1U);
    w.run();
    ask();
    BOOST_TEST(w.sent.empty());
    BOOST_TEST(w.server->next_expiry() <= w.now + kMillisecond);
    w.now += kMillisecond;
    w.server->expire(w.times());
    BOOST_TEST(w.sent.size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_stream_needs_no_packet_of_its_own) {
    World w;
    Client& client = w.connected();
    client.send(framed(message()));
    w.run();
    const auto before = w.get(QuicCount::datagrams_sent);
    w.answer(w.passed.at(0), message());
    w.run();
    BOOST_TEST(w.get(QuicCount::datagrams_sent) == before + 1);
}

// ---- what is no query (RFC 9250 4.3.3)

BOOST_AUTO_TEST_CASE(what_is_no_query_closes_the_connection) {
    Bytes second = framed(message());
    second.push_back(0);
    Bytes response = message();
    response[2] |= 0x80;
    const std::vector<Bytes> wrong{
        framed(message(1)), second, framed(response), {0, 5, 1, 2, 3}, {0, 25, 0, 0}, {0}, {},
        framed(Bytes(11))};
    for (const Bytes& bytes : wrong) {
        World w;
        Client& client = w.connected();
        client.send(bytes);
        w.run();
        BOOST_TEST(w.passed.empty());
        check_closed(client, DoqError::protocol_error);
        BOOST_TEST(w.get(QuicCount::protocol_errors) == 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_query_waits_for_the_end_of_its_stream) {
    World w;
    Client& client = w.connected();
    const auto stream = client.send(framed(message()), false);
    w.run();
    BOOST_TEST(w.passed.empty());
    client.more(stream, {}, true);
    w.run();
    BOOST_TEST(w.passed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_that_is_not_complete_in_time_closes_the_connection) {
    config::ServerLimits limits;
    limits.idle_timeout = std::chrono::milliseconds(60'000);
    World w(limits);
    Client& client = w.connected();
    client.send({0, 25}, false);
    w.pass(8'000);
    BOOST_TEST(!client.end.has_value());
    w.pass(4'000);
    check_closed(client, DoqError::protocol_error);
    BOOST_TEST(w.get(QuicCount::too_slow) == 1U);
}

BOOST_AUTO_TEST_CASE(the_daemon_can_end_a_connection_that_breaks_a_rule) {
    World w;
    Client& client = w.connected();
    client.send(framed(message()));
    w.run();
    w.answer(w.passed.at(0), {}, QueryEnd::protocol_error);
    w.run();
    check_closed(client, DoqError::protocol_error);
}

BOOST_AUTO_TEST_CASE(queries_without_an_answer_get_a_reset_stream) {
    World w;
    Client& client = w.connected();
    const auto dropped = client.send(framed(message())), limited = client.send(framed(message()));
    w.run();
    w.answer(w.passed.at(0), {}, QueryEnd::unanswered);
    w.answer(w.passed.at(1), {}, QueryEnd::over_limit);
    w.has_room = false;
    const auto lost = client.send(framed(message()));
    w.run();
    BOOST_TEST(client.streams[dropped].reset.value() == code_of(DoqError::internal_error));
    BOOST_TEST(client.streams[limited].reset.value() == code_of(DoqError::excessive_load));
    BOOST_TEST(client.streams[lost].reset.value() == code_of(DoqError::excessive_load));
    BOOST_TEST(!client.end.has_value());
    BOOST_TEST(w.get(QuicCount::unanswered) == 3U);
}

// ---- floods on a connection

BOOST_AUTO_TEST_CASE(a_client_that_resets_its_streams_is_closed) {
    World w;
    Client& client = w.connected();
    unsigned resets = 0;
    for (; resets < 1'000 && !client.end; ++resets) {
        const auto stream = client.send(framed(message()));
        w.run();
        client.reset(stream, 3);
        w.run();
    }
    check_closed(client, DoqError::excessive_load);
    BOOST_TEST(resets == DoqStreams::kMostResets + 1);
    BOOST_TEST(w.get(QuicCount::floods) == 1U);
}

BOOST_AUTO_TEST_CASE(a_client_that_gets_answers_may_reset_streams) {
    World w;
    Client& client = w.connected();
    for (unsigned i = 0; i < 400; ++i) {
        const auto stream = client.send(framed(message()));
        w.run();
        if (i % 2 == 0) {
            w.answer(w.passed.back(), message());
        } else {
            client.reset(stream, 3);
        }
        w.run();
    }
    BOOST_TEST(!client.end.has_value());
    BOOST_TEST(w.get(QuicCount::resets_received) == 200U);
}

// ---- handshakes

BOOST_AUTO_TEST_CASE(a_client_without_our_protocol_is_refused) {
    for (const char* const alpn : {"", "h3", "dot"}) {
        World w;
        Client::Settings settings;
        settings.alpn = alpn;
        const Client& client = w.connected(settings);
        BOOST_TEST_REQUIRE(client.end.has_value());
        BOOST_TEST(client.end->error_code == kCryptoError + kNoApplicationProtocol);
        BOOST_TEST(w.get(QuicCount::handshakes) == 0U);
        BOOST_TEST(w.service->counts->in_all() == 0U);
    }
}

BOOST_AUTO_TEST_CASE(a_client_comes_back_with_its_ticket) {
    World w;
    Client& first = w.connected();
    w.run();
    BOOST_TEST_REQUIRE(!first.ticket.empty());
    Client::Settings again;
    again.ticket = first.ticket;
    const Client& second = w.connected(again);
    BOOST_TEST(second.is_complete);
    BOOST_TEST(second.is_resumed);
    BOOST_TEST(w.get(QuicCount::handshakes_resumed) == 1U);
}

BOOST_AUTO_TEST_CASE(many_open_handshakes_ask_new_clients_for_a_proof_of_their_address) {
    World w;
    w.begin(QuicServer::kRetryFrom);
    BOOST_TEST(w.server->handshakes() == QuicServer::kRetryFrom);
    BOOST_TEST(w.get(QuicCount::retries_sent) == 0U);
    w.clients.clear();
    const Client& client = w.connected();
    BOOST_TEST(client.is_complete);
    BOOST_TEST(client.retries == 1U);
    BOOST_TEST(w.get(QuicCount::retries_sent) == 1U);
    w.pass(6'000);  // those that never went on
    BOOST_TEST(w.server->handshakes() == 0U);
    BOOST_TEST(w.get(QuicCount::handshakes_failed) == QuicServer::kRetryFrom);
}

BOOST_AUTO_TEST_CASE(a_client_with_a_token_of_an_earlier_connection_gets_no_retry) {
    World w;
    const Client& first = w.connected();
    BOOST_TEST_REQUIRE(!first.token.empty());
    w.begin(QuicServer::kRetryFrom);
    Client::Settings again;
    again.token = first.token;
    w.clients.clear();
    const Client& second = w.connected(again);
    BOOST_TEST(second.is_complete);
    BOOST_TEST(second.retries == 0U);
    Client::Settings elsewhere = again;  // a token is for one address
    elsewhere.address = "198.51.100.1";
    BOOST_TEST(w.connected(elsewhere).retries == 1U);
}

BOOST_AUTO_TEST_CASE(tokens_have_an_end) {
    World w;
    Client::Settings again;
    again.token = w.connected().token;
    w.clients.clear();
    const auto fill = [&w] {
        w.begin(QuicServer::kRetryFrom);
        w.clients.clear();
    };
    // One of a Retry has 10 s: else it could be used from an address that has another client by then.
    fill();
    Client& slow = w.connect();
    const auto step = [&w, &slow] {
        for (const Datagram& one : slow.write(w.now))
            w.server->receive(w.service, one.bytes, 0, {one.path.remote, one.path.local},
                              w.times());
        w.server->flush(w.times());
        for (const Datagram& one : std::exchange(w.sent, {}))
            slow.read(one, w.now);
    };
    step();
    BOOST_TEST(slow.retries == 1U);
    w.now += 11 * kSecond;
    step();
    BOOST_TEST(w.get(QuicCount::tokens_bad) == 1U);
    BOOST_TEST_REQUIRE(slow.end.has_value());
    BOOST_TEST(slow.end->error_code == NGTCP2_INVALID_TOKEN);
    // That of an earlier connection has a day. Then the client is one without a token.
    w.clients.clear();
    w.now += 23 * 3600 * kSecond;
    fill();
    BOOST_TEST(w.connected(again).retries == 0U);
    w.now += 2 * 3600 * kSecond;
    w.clients.clear();
    fill();
    Client& late = w.connected(again);
    BOOST_TEST(late.retries == 1U);
    BOOST_TEST(late.is_complete);
}

// Else 16 clients with tokens would hold all places.
BOOST_AUTO_TEST_CASE(clients_that_hold_all_handshakes_make_room_for_others) {
    World w;
    const auto proved = [&w](unsigned number) {
        Client::Settings settings;
        settings.address = "198.51.100." + std::to_string(number);
        settings.token = w.connected(settings).token;
        return settings;
    };
    constexpr unsigned kMost = QuicServer::kMostHandshakesOfClient;
    constexpr unsigned kClients = QuicServer::kMostHandshakes / kMost;
    const auto honest = proved(200);
    std::vector<Client::Settings> greedy;
    for (unsigned number = 1; number <= kClients; ++number)
        greedy.push_back(proved(number));
    w.clients.clear();
    for (const auto& one : greedy)
        w.begin(kMost, one);
    w.clients.clear();
    BOOST_TEST(w.server->handshakes() == QuicServer::kMostHandshakes);
    w.begin(1, greedy.front());  // it has its share
    w.clients.clear();
    BOOST_TEST(w.get(QuicCount::over_limit) == 1U);
    BOOST_TEST(w.connected(honest).is_complete);
    BOOST_TEST(w.get(QuicCount::handshakes_failed) == 1U);
    BOOST_TEST(w.server->handshakes() == QuicServer::kMostHandshakes - 1);
}

// Else forged first packets would fill the memory.
BOOST_AUTO_TEST_CASE(a_handshake_that_fails_leaves_nothing) {
    World w;
    Client::Settings settings;
    settings.alpn = "dot";
    for (unsigned i = 0; i < 100; ++i)
        w.connected(settings);
    BOOST_TEST(w.server->open() == 0U);
    BOOST_TEST(w.get(QuicCount::handshakes_failed) == 100U);
}

BOOST_AUTO_TEST_CASE(closed_connections_stay_in_a_bounded_number) {
    config::ServerLimits limits;
    limits.max_connections_per_client = 100'000;
    World w(limits);
    for (unsigned i = 0; i < QuicServer::kMostEnding + 50; ++i) {
        Client& client = w.connected();
        client.send(framed(message(1)));
        w.run();
        w.clients.clear();
        BOOST_TEST_REQUIRE(w.server->ending() <= QuicServer::kMostEnding);
    }
    BOOST_TEST(w.service->counts->in_all() == 0U);
}

BOOST_AUTO_TEST_CASE(a_client_certificate_is_checked_and_needed_only_where_it_is_required) {
    for (const bool is_required : {false, true}) {
        ServerTlsSettings tls;
        tls.client_ca = certificate().chain;
        tls.require_client_cert = is_required;
        World w({}, 0, 1, tls);
        Client::Settings with, foreign;
        with.certificate = &certificate();
        const Pem other = make_certificate();
        foreign.certificate = &other;
        const auto serves = [&w](const Client::Settings& settings) {
            Client& client = w.connected(settings);
            if (client.end) return false;
            client.send(framed(message()));
            w.run();
            return !std::exchange(w.passed, {}).empty();
        };
        BOOST_TEST(serves({}) == !is_required);
        BOOST_TEST(serves(with));
        BOOST_TEST(!serves(foreign));
    }
}

BOOST_AUTO_TEST_CASE(connections_of_a_client_are_limited_once_its_address_is_proved) {
    config::ServerLimits limits;
    limits.max_connections_per_client = 2;
    World w(limits);
    w.connected();
    w.connected();
    const Client& third = w.connected();
    BOOST_TEST_REQUIRE(third.end.has_value());
    BOOST_TEST(third.end->error_code == code_of(DoqError::excessive_load));
    BOOST_TEST(w.get(QuicCount::over_client_limit) == 1U);
    Client::Settings other;
    other.address = "198.51.100.1";
    BOOST_TEST(w.connected(other).is_complete);
}

BOOST_AUTO_TEST_CASE(the_idle_connection_makes_room) {
    config::ServerLimits limits;
    limits.max_connections = 2;
    World w(limits);
    Client& first = w.connected();
    Client& second = w.connected();
    first.send(framed(message()));
    w.run();  // the second is idle longest
    const Client& third = w.connected();
    BOOST_TEST(third.is_complete);
    check_closed(second, DoqError::no_error);
    BOOST_TEST(!first.end.has_value());
    BOOST_TEST(w.get(QuicCount::made_room) == 1U);
}

BOOST_AUTO_TEST_CASE(silent_connections_end) {
    config::ServerLimits limits;
    limits.idle_timeout = std::chrono::milliseconds(5'000);
    World w(limits);
    w.connected();
    BOOST_TEST(w.server->open() == 1U);
    w.clients.clear();
    w.pass(6'000);
    BOOST_TEST(w.server->open() == 0U);
    BOOST_TEST(w.get(QuicCount::idle) == 1U);
    BOOST_TEST(w.service->counts->in_all() == 0U);
}

BOOST_AUTO_TEST_CASE(a_drained_server_closes_what_is_idle_and_answers_others_first) {
    World w;
    Client& busy = w.connected();
    Client& idle = w.connected();
    busy.send(framed(message()));
    w.run();
    w.server->set_draining(true);
    w.pass(2'000);
    check_closed(idle, DoqError::no_error);
    BOOST_TEST(!busy.end.has_value());
    w.answer(w.passed.at(0), message());
    w.pass(2'000);
    check_closed(busy, DoqError::no_error);
    Client& late = w.connected();
    BOOST_TEST_REQUIRE(late.is_complete);
    w.pass(2'000);
    BOOST_TEST(!late.end.has_value());
    late.send(framed(message()));
    w.run();
    w.answer(w.passed.back(), message());
    w.pass(2'000);
    check_closed(late, DoqError::no_error);
    BOOST_TEST(w.get(QuicCount::answers) == 2U);
    w.server->set_draining(false);
    BOOST_TEST(w.connected().is_complete);
}

// The daemon's answer was lost between the processes.
BOOST_AUTO_TEST_CASE(a_query_that_is_never_answered_gets_a_reset) {
    config::ServerLimits limits;
    limits.idle_timeout = std::chrono::milliseconds(300'000);
    World w(limits);
    Client& client = w.connected();
    const auto stream = client.send(framed(message()));
    w.pass(30'000);
    BOOST_TEST(!client.streams[stream].reset.has_value());
    w.pass(7'000);
    BOOST_TEST(client.streams[stream].reset.value() == code_of(DoqError::internal_error));
    BOOST_TEST(w.get(QuicCount::unanswered) == 1U);
}

BOOST_AUTO_TEST_CASE(queries_that_get_no_answer_are_no_flood) {
    World w;
    Client& client = w.connected();
    for (unsigned i = 0; i < 2 * DoqStreams::kMostResets; ++i) {
        client.send(framed(message()));
        w.run();
        w.answer(w.passed.back(), {}, QueryEnd::unanswered);
    }
    w.run();
    BOOST_TEST(!client.end.has_value());
    BOOST_TEST(w.get(QuicCount::floods) == 0U);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_its_answers_is_closed) {
    World w;
    Client& client = w.connected();
    for (unsigned i = 0; i < 20; ++i)
        client.send(framed(message()));
    w.run();
    for (const Passed& query : w.passed) {
        w.answer(query, Bytes(65'000));
        w.server->flush(w.times());
        w.sent.clear();
    }
    BOOST_TEST(w.get(QuicCount::stalled) == 1U);
    BOOST_TEST(w.service->counts->in_all() == 0U);
}

BOOST_AUTO_TEST_CASE(the_daemon_can_refuse_a_connection) {
    World w;
    std::uint64_t opened = 0;
    w.server->on_opened = [&opened](std::uint64_t connection, std::uint16_t service,
                                    const QuicPath& path) {
        opened = connection;
        BOOST_TEST(service == 7U);
        BOOST_TEST(path.remote.port() == 40'000);
    };
    const Client& client = w.connected();
    w.server->refuse(opened, w.times());
    w.run();
    check_closed(client, DoqError::excessive_load);
    BOOST_TEST(w.get(QuicCount::limited) == 1U);
}

// ---- addresses

BOOST_AUTO_TEST_CASE(a_client_that_moves_keeps_its_connection) {
    World w;
    Client& client = w.connected();
    client.move_to(50'000, w.now);
    w.run();
    client.send(framed(message()));
    w.pass(1'000);
    BOOST_REQUIRE_EQUAL(w.passed.size(), 1U);
    BOOST_TEST(w.passed[0].addresses.remote.port() == 50'000);
    BOOST_TEST(w.get(QuicCount::migrations) >= 1U);
    BOOST_TEST(w.get(QuicCount::accepted) == 1U);
}

// One packet with another source address, as anyone on the path could send it.
// The client does not know it, so its packets are small and keep their id.
BOOST_AUTO_TEST_CASE(a_nat_that_changes_its_port_and_takes_it_back_keeps_the_connection) {
    World w;
    w.largest = kSmallestMtu;
    Client& client = w.connected();
    const auto moved = [](const stream::SocketAddress& address, std::uint16_t port) {
        return stream::SocketAddress(address.address(), port);
    };
    const std::string_view kPorts = "0101101110";  // it stays for one, two or three round trips
    for (unsigned i = 0; i < 40; ++i, w.now += kMillisecond) {
        const auto port = static_cast<std::uint16_t>(40'000 + (kPorts[i % kPorts.size()] - '0'));
        client.send(framed(message()));
        for (const Datagram& one : client.write(w.now))
            w.server->receive(w.service, one.bytes, 0,
                              {one.path.remote, moved(one.path.local, port)}, w.times());
        for (const Passed& one : std::exchange(w.passed, {}))
            w.answer(one, message());
        w.server->flush(w.times());
        w.server->expire(w.times());
        for (Datagram& one : std::exchange(w.sent, {})) {
            one.path.remote = moved(one.path.remote, 40'000);
            if (one.bytes.size() <= w.largest) client.read(one, w.now);
        }
    }
    BOOST_TEST(!client.end.has_value());
    BOOST_TEST(w.get(QuicCount::answers) == 40U);
    BOOST_TEST(w.get(QuicCount::migrations) > 0U);
}

BOOST_AUTO_TEST_CASE(queries_are_of_the_address_that_the_client_has_proved) {
    World w;
    Client& client = w.connected();
    client.move_to(50'000, w.now);
    client.send(framed(message()));
    for (unsigned i = 0; i < 20 && w.passed.empty(); ++i) {
        for (const Datagram& one : client.write(w.now))
            w.server->receive(w.service, one.bytes, 0, {one.path.remote, one.path.local},
                              w.times());
        w.server->flush(w.times());
        w.sent.clear();  // the new path is not proved
        w.now += 20 * kMillisecond;
    }
    BOOST_REQUIRE_EQUAL(w.passed.size(), 1U);
    BOOST_TEST(w.passed[0].addresses.remote.port() == 40'000);
    BOOST_TEST(w.get(QuicCount::migrations) == 0U);
}

BOOST_AUTO_TEST_CASE(our_ids_lead_to_our_thread) {
    for (const unsigned threads : {1U, 2U, 3U, 7U}) {
        for (unsigned thread = 0; thread < threads; ++thread) {
            World w({}, thread, threads);
            Client& client = w.connect();
            const auto first = client.write(w.now);
            BOOST_TEST_REQUIRE(!first.empty());
            const auto& path = first.front().path;
            w.server->receive(w.service, first.front().bytes, 0, {path.remote, path.local},
                              w.times());
            w.server->flush(w.times());
            BOOST_TEST_REQUIRE(!w.sent.empty());
            const auto head = read_head(w.sent.front().bytes);
            BOOST_TEST(head.source.bytes[0] % threads == thread);
            BOOST_TEST(head.source.length == ConnectionId::kOwn);
        }
    }
}

// ---- answers without state

BOOST_AUTO_TEST_CASE(another_version_is_answered_with_ours) {
    World w;
    Client::Settings settings;
    settings.version = 0xff00001d;  // a draft
    const Client& client = w.connected(settings);
    BOOST_REQUIRE_EQUAL(client.versions.size(), 1U);
    BOOST_TEST(client.versions[0] == NGTCP2_PROTO_VER_V1);
    // A shorter datagram would be answered with more than it is.
    Bytes small(200, 0);
    small[0] = 0xc0;
    small[1] = 0x7f;
    small[5] = 8;
    small[14] = 8;
    BOOST_TEST(w.receive(small).empty());
}

BOOST_AUTO_TEST_CASE(packets_of_a_forgotten_connection_get_a_shorter_reset) {
    World w;
    for (const std::size_t length : {21U, 22U, 30U, 43U, 44U, 1'200U}) {
        Bytes unknown(length, 7);
        unknown[0] = 0x40;
        const auto answers = w.receive(unknown);
        BOOST_TEST(answers.size() == (length > 21 ? 1U : 0U));
        if (!answers.empty()) BOOST_TEST(answers[0].size() < length);
    }
    BOOST_TEST(w.receive({}).empty());
    BOOST_TEST(w.get(QuicCount::datagrams_bad) == 1U);
}

BOOST_AUTO_TEST_CASE(a_client_of_an_earlier_run_learns_that_its_connection_is_closed) {
    World w;
    Client& client = w.connected();
    client.send(framed(message()));
    World restarted;  // the same secrets
    for (unsigned i = 0; i < 100 && restarted.sent.empty(); ++i) {
        w.now += kMillisecond;  // ngtcp2 spreads packets
        for (const Datagram& one : client.write(w.now))
            restarted.server->receive(restarted.service, one.bytes, 0,
                                      {one.path.remote, one.path.local}, restarted.times());
    }
    BOOST_TEST_REQUIRE(!restarted.sent.empty());
    client.read(restarted.sent.front(), w.now);
    BOOST_TEST(client.has_reset);
}

BOOST_AUTO_TEST_CASE(stateless_answers_have_a_budget) {
    World w;
    Bytes unknown(100, 7);
    unknown[0] = 0x40;
    std::size_t answers = 0;
    for (unsigned i = 0; i < 3'000; ++i)
        answers += w.receive(unknown).size();
    BOOST_TEST(answers == QuicServer::kStatelessPerSecond);
    w.now += kSecond;
    BOOST_TEST(w.receive(unknown).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_retry_token_is_for_one_address_and_one_time) {
    World w;
    Client& client = w.connect();
    const auto first = client.write(w.now).front();
    const auto packet = read_first(first.bytes);
    BOOST_TEST_REQUIRE(packet.has_value());
    QuicSecrets secrets;
    secrets.tokens.fill(1);
    const QuicPath here{first.path.remote, first.path.local};
    QuicPath elsewhere = here;
    elsewhere.remote = stream::SocketAddress(IpAddress::parse("203.0.113.5").value(), 40'000);
    const ConnectionId own(Bytes(ConnectionId::kOwn, 9));
    const auto wall = w.times().wall;
    const auto made = retry(*packet, here, own, secrets, wall);
    BOOST_TEST_REQUIRE(made.size() > 20U);
    BOOST_TEST(made.size() < 1'200U);
    // The client's next first packet has the token and our id.
    client.read({{first.path.local, first.path.remote}, made}, w.now);
    const auto again = client.write(w.now).front();
    const auto second = read_first(again.bytes);
    BOOST_TEST_REQUIRE(second.has_value());
    BOOST_TEST((second->destination == own));
    const auto judge = [&](const QuicPath& path, const QuicSecrets& of, Nanoseconds at) {
        return judge_token(*second, path, of, at).kind;
    };
    BOOST_TEST((judge(here, secrets, wall + kSecond) == TokenProof::Kind::address));
    BOOST_TEST(
        (judge_token(*second, here, secrets, wall).original_destination == packet->destination));
    BOOST_TEST((judge(elsewhere, secrets, wall) == TokenProof::Kind::invalid));
    BOOST_TEST((judge(here, secrets, wall + 11 * kSecond) == TokenProof::Kind::invalid));
    QuicSecrets others;
    others.tokens.fill(3);
    BOOST_TEST((judge(here, others, wall) == TokenProof::Kind::invalid));
    QuicPath port = here;
    port.remote = stream::SocketAddress(here.remote.address(), 1);
    BOOST_TEST((judge(port, secrets, wall) == TokenProof::Kind::invalid));
    // No byte and no length of it may change.
    Bytes token(second->token.begin(), second->token.end());
    FirstPacket changed = *second;
    for (std::size_t i = 1; i < token.size(); ++i) {
        token[i] ^= 1;
        changed.token = token;
        BOOST_TEST((judge_token(changed, here, secrets, wall).kind == TokenProof::Kind::invalid));
        changed.token = std::span(token).first(i);
        BOOST_TEST((judge_token(changed, here, secrets, wall).kind == TokenProof::Kind::invalid));
        token[i] ^= 1;
    }
    changed.token = token;
    BOOST_TEST((judge_token(changed, here, secrets, wall).kind == TokenProof::Kind::address));
    changed.destination = ConnectionId(Bytes(ConnectionId::kOwn, 8));
    BOOST_TEST((judge_token(changed, here, secrets, wall).kind == TokenProof::Kind::invalid));
}

BOOST_AUTO_TEST_CASE(a_token_for_later_is_for_one_address_at_any_port_and_a_day) {
    QuicSecrets secrets, others;
    secrets.tokens.fill(1);
    others.tokens.fill(3);
    const auto path = [](const char* address, std::uint16_t port) {
        QuicPath made;
        made.remote = stream::SocketAddress(IpAddress::parse(address).value(), port);
        return made;
    };
    constexpr Nanoseconds kHour = 3'600 * kSecond, kWall = 500'000 * kHour + 1;
    const Bytes token = later_token(path("192.0.2.10", 1), secrets, kWall);
    BOOST_TEST((later_token(path("192.0.2.10", 1), secrets, kWall) != token));
    FirstPacket packet;
    packet.token = token;
    const auto judge = [&](const QuicPath& from, const QuicSecrets& of, Nanoseconds at) {
        return judge_token(packet, from, of, at).kind;
    };
    using Kind = TokenProof::Kind;
    BOOST_TEST((judge(path("192.0.2.10", 2), secrets, kWall) == Kind::address));
    BOOST_TEST((judge(path("192.0.2.10", 2), secrets, kWall + 23 * kHour - 2) == Kind::address));
    BOOST_TEST((judge(path("192.0.2.10", 2), secrets, kWall + 24 * kHour) == Kind::none));
    BOOST_TEST((judge(path("192.0.2.11", 1), secrets, kWall) == Kind::none));
    BOOST_TEST((judge(path("192.0.2.10", 1), others, kWall) == Kind::none));
    Bytes wrong = token;
    wrong[5] ^= 1;
    packet.token = wrong;
    BOOST_TEST((judge(path("192.0.2.10", 1), secrets, kWall) == Kind::none));
}

// ---- anything

BOOST_AUTO_TEST_CASE(any_bytes_leave_the_server_as_it_is) {
    World w;
    Client& client = w.connected();
    std::uint32_t state = 1;
    const auto random = [&state] {
        state = state * 1'664'525 + 1'013'904'223;
        return state >> 8;
    };
    for (unsigned i = 0; i < 20'000; ++i) {
        Bytes bytes(random() % 1'500);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random());
        if (!bytes.empty() && i % 2 == 0) bytes[0] |= 0xc0;
        if (bytes.size() > 5 && i % 4 == 0) bytes[1] = bytes[2] = bytes[3] = 0, bytes[4] = 1;
        (void)w.receive(bytes);
    }
    client.send(framed(message()));
    w.run();
    BOOST_TEST(w.passed.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::quic::test

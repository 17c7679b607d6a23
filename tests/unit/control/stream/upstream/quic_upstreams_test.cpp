// Upstreams over QUIC as the daemon sees them: the test is steerdns-quic.
#include "control/streams/upstream/quic_upstreams.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "control/host/process/sequenced_socket.h"
#include "dataplane/dns/wire.h"
#include "dataplane/forward/forwarder.h"
#include "matchers/octets.h"
#include "tls/tls_peer.h"
#include "world.h"

using namespace steer;
using namespace steer::test;
using quic::AskEnd;
using quic::UpstreamEnd;
using quic::UpstreamOrder;
using stream::UpstreamTarget;

namespace {

constexpr std::uint16_t kQuicId = 7;

std::string der_of(X509* certificate) {
    unsigned char* der = nullptr;
    const int length = i2d_X509(certificate, &der);
    BOOST_REQUIRE(length > 0);
    std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return bytes;
}

std::string der_of_pem(const std::string& pem) {
    const stream::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const stream::X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    BOOST_REQUIRE(certificate != nullptr);
    return der_of(certificate.get());
}

struct QuicAsk {
    std::uint64_t connection, ask;
    Bytes query;
};

struct QuicWorld {
    explicit QuicWorld(UpstreamTarget wanted = {}) : target(std::move(wanted)) {
        target.id = kQuicId;
        target.name = "up";
        target.scheme = stream::UpstreamScheme::quic;
        target.host = "dns.example";
        target.address = address("127.0.0.1");
        target.port = server.port();
        target.trust.ca_file = folder.write("ca.pem", authority.pem());
        chain = {der_of_pem(authority.issue("dns.example").cert), der_of(authority.certificate())};
        w.thread->set_quic({});
        state = std::make_shared<stream::UpstreamState>(
            target.name, [this](const std::string& sentence) { logged.push_back(sentence); });
        auto directory = std::make_shared<stream::UpstreamDirectory>();
        directory->emplace(
            kQuicId, stream::UpstreamEntry{std::make_shared<const UpstreamTarget>(target), state});
        w.thread->set_upstreams(directory);
    }
    // A process begins.
    void begin() {
        auto [ours, theirs] = SequencedSocket::pair(quic::kMaxMessage);
        process = SequencedSocket(std::move(theirs), quic::kMaxMessage);
        w.thread->connect_quic(std::move(ours), [this] { is_broken = true; });
        w.turn();
    }
    void end() {
        process = SequencedSocket();
        w.thread->disconnect_quic();
        w.turn();
    }
    void ask(std::uint16_t id, std::string_view name = "a.example",
             std::uint32_t timeout_ms = 2000) {
        w.ask_channel(kQuicId, make_query(id, name), id, timeout_ms);
    }
    // Reads what the process was sent.
    void read() {
        for (;;) {
            std::string_view bytes;
            std::vector<Descriptor> beside;
            if (process.receive(bytes, false, &beside) != SequencedSocket::End::done) return;
            const auto message = quic::decode_channel(bytes);
            BOOST_REQUIRE(message.has_value());
            if (const auto* const one = std::get_if<quic::UpstreamOpening>(&*message)) {
                BOOST_REQUIRE_EQUAL(beside.size(), 1U);
                openings.push_back(*one);
                sockets.push_back(std::move(beside.front()));
            } else if (const auto* const all = std::get_if<std::vector<quic::AskView>>(&*message)) {
                for (const quic::AskView& view : *all) {
                    const auto query = octets_of(view.message);
                    asked.push_back({view.record.connection, view.record.ask,
                                     Bytes(query.begin(), query.end())});
                }
            } else if (const auto* const some =
                           std::get_if<std::vector<quic::OrderRecord>>(&*message)) {
                orders.insert(orders.end(), some->begin(), some->end());
            }
        }
    }
    bool until(const std::function<bool()>& done) {
        return w.until([&] {
            read();
            return done();
        });
    }
    bool has_opened(std::size_t count) {
        return until([&] { return openings.size() >= count; });
    }
    void ready(std::uint64_t connection, std::uint64_t streams = 100, bool is_resumed = false) {
        const quic::UpstreamReady one{connection, streams, is_resumed,
                                      is_resumed ? std::vector<std::string>{} : chain};
        process.send(quic::encode(one), true);
    }
    void reply(const QuicAsk& to, AskEnd how, const Bytes& message = {}) {
        quic::ReplyRecord record{};
        record.connection = to.connection;
        record.ask = to.ask;
        record.message_bytes = static_cast<std::uint32_t>(message.size());
        record.fresh_s = UINT32_MAX;
        record.end = static_cast<std::uint8_t>(how);
        quic::RecordBatch batch(quic::ChannelKind::upstream_replies);
        batch.add(record, {chars_of(message)});
        process.send(batch.message(), true);
    }
    void ended(std::uint64_t connection, UpstreamEnd how, const std::string& why = {}) {
        process.send(quic::encode(quic::UpstreamEnded{connection, how, why}), true);
    }
    bool replied(std::size_t count) {
        return until([&] { return w.replies.size() >= count; });
    }
    [[nodiscard]] bool was_ordered(UpstreamOrder what, std::uint64_t connection) const {
        for (const quic::OrderRecord& one : orders) {
            if (one.order == static_cast<std::uint8_t>(what) && one.connection == connection)
                return true;
        }
        return false;
    }
    // A connection that is ready, and a query on it.
    QuicAsk asks_one(std::uint16_t id) {
        ask(id);
        BOOST_REQUIRE(has_opened(1));
        ready(openings.back().connection);
        BOOST_REQUIRE(until([&] { return !asked.empty(); }));
        return asked.back();
    }

    StreamWorld w;
    TempFolder folder;
    Authority authority;
    Peer server = Peer::bound(stream::Transport::udp, address("127.0.0.1"));
    UpstreamTarget target;
    std::vector<std::string> chain;
    std::shared_ptr<stream::UpstreamState> state;
    std::vector<std::string> logged;
    SequencedSocket process;
    bool is_broken = false;
    std::vector<quic::UpstreamOpening> openings;
    std::vector<Descriptor> sockets;
    std::vector<QuicAsk> asked;
    std::vector<quic::OrderRecord> orders;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(quic_upstreams)

BOOST_AUTO_TEST_CASE(a_query_is_asked_once_the_certificates_are_accepted) {
    QuicWorld q;
    q.begin();
    q.ask(11);
    BOOST_REQUIRE(q.has_opened(1));
    const quic::UpstreamOpening& opening = q.openings[0];
    BOOST_TEST(opening.server_name == "dns.example");
    BOOST_TEST(opening.remote.port == q.server.port());
    BOOST_TEST(opening.may_refuse);
    // The socket is the daemon's, and connected.
    const Bytes hello{1, 2, 3};
    BOOST_TEST(::send(q.sockets[0].get(), hello.data(), hello.size(), 0) == 3);
    BOOST_TEST(q.asked.empty());
    q.ready(opening.connection);
    BOOST_REQUIRE(q.until([&] { return !q.asked.empty(); }));
    BOOST_TEST(q.was_ordered(UpstreamOrder::accept, opening.connection));
    BOOST_TEST(dns::load_be16(q.asked[0].query.data()) == 0U);
    q.reply(q.asked[0], AskEnd::answered, make_response(q.asked[0].query, 1));
    BOOST_REQUIRE(q.replied(1));
    BOOST_TEST(StreamWorld::bytes_of(q.w.replies[0]) ==
               make_response(make_query(11, "a.example"), 1));
    BOOST_TEST(q.state->report().transport == "quic");
    BOOST_TEST(q.state->report().certificate_ends_s > 0);
}

BOOST_AUTO_TEST_CASE(certificates_that_are_not_trusted_end_the_connection) {
    for (const bool is_other_host : {false, true}) {
        QuicWorld q;
        const Authority other;
        q.chain = {is_other_host ? der_of_pem(q.authority.issue("other.example").cert)
                                 : der_of(other.certificate())};
        q.begin();
        q.ask(11);
        BOOST_REQUIRE(q.has_opened(1));
        q.ready(q.openings[0].connection);
        BOOST_REQUIRE(q.replied(1));
        BOOST_TEST(q.w.replies[0].b == static_cast<unsigned>(EKEYREJECTED));
        BOOST_REQUIRE(
            q.until([&] { return q.was_ordered(UpstreamOrder::close, q.openings[0].connection); }));
        BOOST_TEST(q.asked.empty());
        BOOST_REQUIRE(!q.logged.empty());
        BOOST_TEST(q.logged[0].find(is_other_host ? "is not for dns.example" : "is not trusted") !=
                   std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_resumed_session_was_accepted_before) {
    QuicWorld q;
    q.begin();
    q.ask(11);
    BOOST_REQUIRE(q.has_opened(1));
    q.ready(q.openings[0].connection, 100, true);
    BOOST_REQUIRE(q.until([&] { return !q.asked.empty(); }));
    BOOST_TEST(q.orders.empty());
}

BOOST_AUTO_TEST_CASE(a_reply_to_another_question_fails_its_query_alone) {
    QuicWorld q;
    q.begin();
    const QuicAsk first = q.asks_one(11);
    q.reply(first, AskEnd::answered, make_response(make_query(0, "b.example"), 1));
    BOOST_REQUIRE(q.replied(1));
    BOOST_TEST(q.w.replies[0].b == static_cast<unsigned>(kUpstreamFailsQuery));
    BOOST_TEST(q.w.count(StreamCount::upstream_unmatched) == 1U);
    q.ask(12);
    BOOST_REQUIRE(q.until([&] { return q.asked.size() == 2; }));
    BOOST_TEST(q.openings.size() == 1U);
}

BOOST_AUTO_TEST_CASE(queries_wait_for_streams) {
    QuicWorld q({.max_conns = 1});
    q.begin();
    q.ask(11);
    q.ask(12);
    BOOST_REQUIRE(q.has_opened(1));
    q.ready(q.openings[0].connection, 1);
    BOOST_REQUIRE(q.until([&] { return q.asked.size() == 1; }));
    q.reply(q.asked[0], AskEnd::answered, make_response(q.asked[0].query, 1));
    BOOST_REQUIRE(q.replied(1));
    BOOST_TEST(q.asked.size() == 1U);
    quic::RecordBatch more(quic::ChannelKind::upstream_streams);
    more.add(quic::StreamsRecord{q.openings[0].connection, 2});
    q.process.send(more.message(), true);
    BOOST_REQUIRE(q.until([&] { return q.asked.size() == 2; }));
}

BOOST_AUTO_TEST_CASE(queries_of_a_connection_that_ended_are_asked_again) {
    QuicWorld q;
    q.begin();
    const QuicAsk first = q.asks_one(11);
    q.reply(first, AskEnd::lost);
    q.ended(first.connection, UpstreamEnd::closed);
    BOOST_REQUIRE(q.has_opened(2));
    q.ready(q.openings[1].connection);
    BOOST_REQUIRE(q.until([&] { return q.asked.size() == 2; }));
    BOOST_TEST(q.asked[1].connection == q.openings[1].connection);
}

BOOST_AUTO_TEST_CASE(a_query_whose_time_is_over_is_cancelled) {
    QuicWorld q;
    q.begin();
    const QuicAsk first = q.asks_one(11);
    q.w.pass(std::chrono::milliseconds(2'100));
    BOOST_REQUIRE(q.until([&] { return q.was_ordered(UpstreamOrder::cancel, first.connection); }));
    BOOST_TEST(std::ranges::any_of(q.orders, [&](const quic::OrderRecord& order) {
        return order.order == static_cast<std::uint8_t>(UpstreamOrder::cancel) &&
               order.ask == first.ask;
    }));
}

BOOST_AUTO_TEST_CASE(the_end_of_the_process_is_the_end_of_its_connections) {
    QuicWorld q;
    // Before it begins, attempts wait for it.
    q.ask(11);
    q.w.turn();
    q.begin();
    BOOST_REQUIRE(q.has_opened(1));
    q.ready(q.openings[0].connection);
    BOOST_REQUIRE(q.until([&] { return q.asked.size() == 1; }));
    q.end();
    BOOST_TEST(q.state->report().connections == 0U);
    q.begin();
    BOOST_REQUIRE(q.has_opened(2));
    BOOST_TEST(q.openings[1].connection != q.openings[0].connection);
    q.ready(q.openings[1].connection);
    BOOST_REQUIRE(q.until([&] { return q.asked.size() == 2; }));
    q.reply(q.asked[1], AskEnd::answered, make_response(q.asked[1].query, 1));
    BOOST_REQUIRE(q.replied(1));
    BOOST_TEST(q.w.replies[0].b == 0U);
    BOOST_TEST(!q.is_broken);
}

BOOST_AUTO_TEST_CASE(what_the_process_says_of_unknown_connections_has_no_effect) {
    QuicWorld q;
    q.begin();
    const QuicAsk first = q.asks_one(11);
    q.ready(999);
    q.ended(998, UpstreamEnd::handshake, "why");
    q.reply({997, 1, {}}, AskEnd::lost);
    q.reply({first.connection, first.ask + (std::uint64_t{1} << 32), {}}, AskEnd::lost);
    q.reply(first, AskEnd::answered, make_response(first.query, 1));
    BOOST_REQUIRE(q.replied(1));
    BOOST_TEST(!q.is_broken);
    // A message of the other direction is not understood.
    q.process.send(quic::encode(q.openings[0]), true);
    BOOST_REQUIRE(q.until([&] { return q.is_broken; }));
}

BOOST_AUTO_TEST_CASE(another_transport_is_used_while_quic_is_not_reached) {
    QuicWorld q({.fallback = stream::UpstreamScheme::tls});
    q.begin();
    q.ask(11);
    BOOST_REQUIRE(q.has_opened(1));
    q.ended(q.openings[0].connection, UpstreamEnd::no_answer, "no answer");
    // The port has no TLS, so the query ends. It was asked there.
    BOOST_REQUIRE(q.replied(1));
    BOOST_TEST_REQUIRE(q.logged.size() >= 1U);
    BOOST_TEST(q.logged[0].find("is asked over tls: connecting to 127.0.0.1:") !=
               std::string::npos);
    BOOST_TEST(q.w.replies[0].b == static_cast<unsigned>(ECONNREFUSED));
    // QUIC is tried without a query.
    q.w.pass(std::chrono::seconds(11));
    BOOST_REQUIRE(q.has_opened(2));
    q.ready(q.openings[1].connection);
    BOOST_REQUIRE(q.until([&] { return q.state->report().transport == "quic"; }));
    q.ask(12);
    BOOST_REQUIRE(q.until([&] { return !q.asked.empty(); }));
}

BOOST_AUTO_TEST_CASE(a_bad_certificate_and_a_bad_answer_start_no_other_transport) {
    QuicWorld q({.fallback = stream::UpstreamScheme::tls});
    q.begin();
    const QuicAsk first = q.asks_one(11);
    q.reply(first, AskEnd::bad);
    q.ended(first.connection, UpstreamEnd::closed, "QUIC failed");
    BOOST_REQUIRE(q.replied(1));
    q.chain = {"no certificate"};
    q.ask(12);
    BOOST_REQUIRE(q.has_opened(2));
    q.ready(q.openings[1].connection);
    BOOST_REQUIRE(q.replied(2));
    BOOST_TEST(q.w.replies[1].b == static_cast<unsigned>(EKEYREJECTED));
    for (const std::string& sentence : q.logged)
        BOOST_TEST(sentence.find("is asked over") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

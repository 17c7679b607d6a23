// Questions that have the upstream's address: those of many clients of this machine, and the labels
// of loop tests.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

constexpr unsigned kClients = 1'000;
constexpr const char* kThisMachine = "127.0.0.1";
constexpr const char* kEqualName = "www.other.example";

// An upstream of this machine, which programs of this machine share their address with. It may be
// slow: its attempts last as long as the question.
std::unique_ptr<Snapshot> forward_to_loopback() {
    auto s = forward_only();
    for (Upstream& u : s->upstreams) {
        u.address = *IpAddress::parse(kThisMachine);
        u.timeout_ms = 5'000;
    }
    return s;
}

bool is_label(const Seen& query) {
    return query.qname().find('.') == forward::LoopLabel::kDigits;
}

BOOST_AUTO_TEST_SUITE(loops)

BOOST_AUTO_TEST_CASE(a_thousand_equal_questions_of_loopback_are_answered_over_each_transport) {
    for (std::size_t t = 0; t < kClientTransports.size(); ++t) {
        BOOST_TEST_CONTEXT(kClientTransports[t].label) {
            Appliance a({.max_parked = 8'192, .small_buffers = 4'096});
            a.publish(forward_to_loopback());
            for (unsigned i = 0; i < kClients; ++i) {
                a.inject(DnsMessage::query(static_cast<std::uint16_t>(i), kEqualName, 1), i,
                         static_cast<ClientTransport>(t), 0, kThisMachine);
                a.turn();
            }
            BOOST_CHECK_EQUAL(a.parked(), kClients);
            for (int i = 0; i < 30; ++i)
                a.advance_ms(100);  // the upstream takes 3 s
            BOOST_CHECK(a.injected_answers().empty());
            for (const Seen& query : a.upstream_queries()) {
                if (!is_label(query)) a.reply(query, 300, {"203.0.113.7"});
            }
            for (int i = 0; i < 8; ++i)
                a.advance_ms(1);
            const auto answers = a.injected_answers();
            BOOST_CHECK_EQUAL(answers.size(), kClients);
            for (const auto& one : answers) {
                BOOST_REQUIRE(one.answer);
                BOOST_REQUIRE_EQUAL(one.answer->rcode(), 0U);
            }
            BOOST_CHECK_EQUAL(a.count(Stat::loop_tests), 1U);
            BOOST_CHECK_EQUAL(a.count(Stat::loops_proved), 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(other_clients_keep_their_quota) {
    Appliance a({.max_parked_per_client = 8});
    a.publish(forward_to_loopback());
    for (unsigned i = 0; i < 20; ++i) {
        a.inject(DnsMessage::query(1, "www.n" + std::to_string(i) + ".example", 1), i);
        a.inject(DnsMessage::query(1, "www.m" + std::to_string(i) + ".example", 1), i, false, 0,
                 kThisMachine);
    }
    a.turn();
    BOOST_CHECK_EQUAL(a.count(steer::Injected::forwarded), 8U + 20U);
    BOOST_CHECK_EQUAL(a.count(steer::Injected::drop_client_quota), 12U);
}

BOOST_AUTO_TEST_CASE(a_label_gets_no_answer_over_any_transport_and_on_any_worker) {
    for (std::size_t t = 0; t < kClientTransports.size(); ++t) {
        BOOST_TEST_CONTEXT(kClientTransports[t].label) {
            Appliance a({.workers = 2});
            a.publish(forward_to_loopback());
            for (std::uint64_t i = 0; i < 2; ++i) {
                a.inject(DnsMessage::query(1, kEqualName, 1), i, true, 0, kThisMachine);
                a.turn();
            }
            unsigned labels = 0;
            for (const Seen& query : a.upstream_queries()) {
                if (!is_label(query)) continue;
                a.inject(DnsMessage::query(1, query.qname(), 1), 70 + labels,
                         static_cast<ClientTransport>(t), labels % 2);
                ++labels;
            }
            BOOST_CHECK_EQUAL(labels, 2U);
            a.turn();
            for (const auto& one : a.injected_answers())
                BOOST_CHECK(!one.answer && one.token >= 70);
            BOOST_CHECK_EQUAL(a.count(steer::Injected::loop_test), 2U);
            BOOST_CHECK(a.upstream_queries().empty());
            for (int i = 0; i < 8; ++i)
                a.advance_ms(100);
            BOOST_CHECK_EQUAL(a.count(Stat::loops_proved), 2U);
            BOOST_CHECK_EQUAL(a.count(Stat::upstream_loops), 1U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_label_is_known_to_a_trace) {
    Appliance a;
    a.publish(forward_to_loopback());
    for (std::uint64_t i = 0; i < 2; ++i) {
        a.inject(DnsMessage::query(1, kEqualName, 1), i, true, 0, kThisMachine);
        a.turn();
    }
    for (const Seen& query : a.upstream_queries()) {
        if (!is_label(query)) continue;
        a.inject(DnsMessage::query(1, query.qname(), 1), 70, true, 0, kThisMachine,
                 {.trace_id = 99});
        a.turn();
    }
    BOOST_CHECK_EQUAL(a.count(steer::Injected::loop_test), 2U);
    for (Buffer* const trace : a.traces())
        release(trace);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::test

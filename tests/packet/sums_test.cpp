// Ten thousand mutated frames: nothing changes but counters, and every table of verdicts sums to
// what went in.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"
#include "support/random.h"

namespace steer::test {
namespace {

constexpr unsigned kFrames = 10'000;
constexpr const char* kWarm = "warm.example";
constexpr const char* kAwaited = "awaited.stream.example";
constexpr std::uint16_t kReflector = 123;

class Mutator {
  public:
    Mutator(Random& random, const Seen& awaited, const MacAddress& port)
        : random_(random), awaited_(awaited) {
        query_ = {.from_mac = {2, 0, 0, 0, 0, 9},
                  .to_mac = port,
                  .from = *IpAddress::parse("192.0.2.77"),
                  .to = *IpAddress::parse("10.0.0.1"),
                  .from_port = 41000,
                  .to_port = 53};
        const UdpFrame& q = awaited.frame;
        reply_ = {.from_mac = q.to_mac,
                  .to_mac = q.from_mac,
                  .from = q.to,
                  .to = q.from,
                  .from_port = q.to_port,
                  .to_port = q.from_port,
                  .payload = DnsMessage::response(awaited.id(), kAwaited, 1)
                                 .a(kAwaited, 60, {6, 6, 6, 6})
                                 .bytes()};
    }

    Bytes next() {
        switch (random_.below(7)) {
            case 0:
                return scratched(make_udp_frame(query()));
            case 1:
                return cut(make_udp_frame(query()));
            case 2:
                return make_udp_frame(with_payload(query(), scratched(query().payload)));
            case 3:
                return make_udp_frame(with_payload(query(), cut(query().payload)));
            case 4:
                return scratched_deep(make_udp_frame(reply_));
            case 5:
                return make_udp_frame(lie());
            default:
                return noise();
        }
    }

  private:
    UdpFrame query() {
        UdpFrame f = query_;
        f.from_port = random_.below(16) == 0
                          ? kReflector
                          : static_cast<std::uint16_t>(1024 + random_.below(60000));
        const auto id = static_cast<std::uint16_t>(random_());
        const char* const name = random_.below(2) == 0 ? kWarm : kAwaited;
        const std::uint16_t type = random_.below(12) == 0 ? 255 : random_.below(3) == 0 ? 28 : 1;
        const std::uint16_t flags = random_.below(12) == 0 ? 0 : 0x0100;
        DnsMessage m = DnsMessage::query(id, name, type, flags);
        if (random_.below(2) == 0) m.opt(1232);
        f.payload = m.bytes();
        return f;
    }
    static UdpFrame with_payload(UdpFrame f, Bytes payload) {
        f.payload = std::move(payload);
        return f;
    }
    // Up to four bytes are others; checksums are as they were.
    Bytes scratched(Bytes b) {
        for (unsigned n = 1 + random_.below(4); n > 0; --n) {
            b[random_.below(static_cast<std::uint32_t>(b.size()))] ^=
                static_cast<std::uint8_t>(1 + random_.below(255));
        }
        return b;
    }
    // One byte of what the checksums cover: always found.
    Bytes scratched_deep(Bytes b) {
        const auto at = 26 + random_.below(static_cast<std::uint32_t>(b.size() - 26));
        b[at] ^= static_cast<std::uint8_t>(1 + random_.below(255));
        return b;
    }
    Bytes cut(Bytes b) {
        b.resize(random_.below(2) == 0 ? random_.below(static_cast<std::uint32_t>(b.size()))
                                       : b.size() + random_.below(40));
        if (b.empty()) b.resize(1);
        return b;
    }
    // A reply that is whole and not the awaited one.
    UdpFrame lie() {
        UdpFrame f = reply_;
        switch (random_.below(5)) {
            case 0:
                f.payload[1] ^= static_cast<std::uint8_t>(1 + random_.below(255));
                break;
            case 1:
                f.from_port ^= static_cast<std::uint16_t>(1 + random_.below(255));
                break;
            case 2:
                f.to_port = static_cast<std::uint16_t>(f.to_port ^ (1 + random_.below(255)));
                break;
            case 3:
                f.from = *IpAddress::parse("198.51.100." + std::to_string(60 + random_.below(100)));
                break;
            default:
                f.payload[13 + random_.below(6)] ^= 0x11;
                break;  // the question
        }
        return f;
    }
    Bytes noise() {
        Bytes b(1 + random_.below(300));
        for (auto& byte : b)
            byte = static_cast<std::uint8_t>(random_());
        b[0] &= 0xfe;
        if (b.size() > 24 && random_.below(2) == 0) b[12] = 8, b[13] = 0, b[14] = 0x45;
        return b;
    }

    Random& random_;
    const Seen& awaited_;
    UdpFrame query_, reply_;
};

void mutate_everything(ApplianceOptions options, std::uint32_t seed) {
    options.max_parked = 256;
    const unsigned ports = options.ports == 0 ? options.workers : options.ports;
    Appliance a(options);
    a.next_hops().dropped_ports = {kReflector};
    auto snapshot = cache_list_forward(policy_list(3));
    snapshot->rare = {.norecurse = NoRecurse::refuse,
                      .from_cache = matchers::PrefixSet(
                          {matchers::Prefix::masked(*IpAddress::parse("192.0.2.77"), 128)}),
                      .any = AnyQueries::refuse};
    a.publish(std::move(snapshot));
    a.ask_and_answer(kWarm, 86400, "203.0.113.1");
    a.ask(kAwaited);
    a.turn();
    const Seen awaited = a.upstream_query();

    Random random(seed);
    Mutator mutator(random, awaited, a.port().port().mac());
    for (unsigned i = 0; i < kFrames; ++i) {
        a.send(random.below(ports), mutator.next());
        if (i % 32 != 31) continue;
        a.turn();
        for (const Seen& s : a.answers()) {
            if (s.rcode() == 0 && s.answers() > 0)
                BOOST_REQUIRE_EQUAL(s.qname().size(), std::string(kWarm).size());
        }
        (void)a.upstream_queries();
        if (i % 1024 == 1023) a.check_sums();
    }
    a.turn();
    (void)a.answers();
    BOOST_CHECK_GT(a.count(Verdict::drop_source_port), 0U);
    BOOST_CHECK_GT(a.count(Verdict::refused_norecurse) + a.count(Moved::refused_norecurse), 0U);
    BOOST_CHECK(a.events().empty());  // no address of a liar was claimed
    BOOST_CHECK_GE(a.count(Stat::rx_packets), kFrames);

    a.reply(awaited, 60, {"203.0.113.2"});
    a.turn();
    bool answered = false;
    for (const Seen& s : a.answers()) {
        BOOST_CHECK_EQUAL(s.dns.at(s.dns.size() - (s.additional() > 0 ? 12 : 1)), 2);
        answered = true;
    }
    // Ten forged replies turn a question to TCP, where no upstream answers in this test.
    BOOST_CHECK_NE(answered, a.count(Stat::upstream_suspected) > 0);
    for (int i = 0; i < 100; ++i)
        a.advance_ms(100);  // the rest ends
    (void)a.answers();
    a.check_sums();
    BOOST_CHECK_EQUAL(a.parked(), 0U);
    a.ask(kWarm);
    a.turn();
    const Seen warm = a.answer();
    BOOST_CHECK_EQUAL(warm.dns.back(), 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sums)

BOOST_AUTO_TEST_CASE(verdicts_of_ten_thousand_mutations_add_up_on_one_worker) {
    mutate_everything({}, 20260101);
}
BOOST_AUTO_TEST_CASE(verdicts_of_ten_thousand_mutations_add_up_on_two_workers) {
    mutate_everything({.workers = 2}, 7);
}
BOOST_AUTO_TEST_CASE(verdicts_of_ten_thousand_mutations_add_up_on_three_workers_with_one_port) {
    mutate_everything({.workers = 3, .ports = 1, .spread = true}, 11);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test

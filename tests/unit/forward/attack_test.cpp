// Attackers who forge replies without seeing queries: what they win in a simulation is what the
// odds say (docs/explanation/poisoning.md), and equal questions in flight give them no more
// chances.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>

#include "sender.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr unsigned kGuesses = 10;  // then a question goes over TCP
constexpr double kIds = 65'536;
constexpr double kAttackOff = 5;  // standard deviations

struct Attack {
    unsigned ports = 1;     // in the range: few, so that the attacker wins sometimes
    unsigned packets = 10;  // forged for each question, before the upstream's reply
    RandomCase random_case = RandomCase::never;
    std::string name = "www.example";
    bool knows_port = false;
};

struct Outcome {
    double rounds = 0, won = 0, over_tcp = 0;
};

// A victim asks the same question again and again; the attacker knows it, its upstream and the
// range of ports, and guesses port and id (and the case) of each packet.
Outcome simulate(const Attack& attack, unsigned rounds) {
    ForwarderOptions options;
    options.max_in_flight = 64;
    options.random_seed = 11;
    options.random_case = attack.random_case;
    options.first_port = 2000;
    options.last_port = static_cast<std::uint16_t>(1999 + attack.ports);
    Sender sender(options, attack.name);
    Random random{12};
    Outcome out;
    out.rounds = rounds;
    const std::size_t name_length = wire_name(attack.name).size();
    for (unsigned round = 0; round < rounds; ++round) {
        sender.ask();
        const Sender::Sent real = sender.sent;
        const std::uint64_t ended = sender.ended;
        sender.write_reply(real);
        for (unsigned i = 0; i < attack.packets && sender.ended == ended; ++i) {
            const auto bits = random();
            const auto port = attack.knows_port
                                  ? real.port
                                  : static_cast<std::uint16_t>(2000 + (bits >> 16) % attack.ports);
            for (std::size_t at = 0; at < name_length; ++at) {
                std::uint8_t& c = sender.message[dns::kHeaderSize + at];
                if (std::isalpha(c) == 0) continue;
                const bool is_capital =
                    attack.random_case != RandomCase::never && (random() & 1) != 0;
                c = static_cast<std::uint8_t>(is_capital ? std::toupper(c) : std::tolower(c));
            }
            sender.receive(port, static_cast<std::uint16_t>(bits));
        }
        if (sender.ended != ended) {
            ++out.won;
            continue;
        }
        if (sender.sent.port == 0) ++out.over_tcp;
        sender.answer();
        BOOST_TEST_REQUIRE(sender.ended == ended + 1);
    }
    return out;
}

void check_attack(const Attack& attack, unsigned rounds, double odds) {
    const Outcome outcome = simulate(attack, rounds);
    const double expected = odds * rounds;
    BOOST_TEST_MESSAGE(attack.ports << " ports, " << attack.packets << " packets: " << outcome.won
                                    << " of " << rounds << " won, expected " << expected);
    BOOST_TEST(std::abs(outcome.won - expected) < kAttackOff * std::sqrt(expected) + 1,
               outcome.won << " of " << rounds << ", expected " << expected);
    // A guess may have the id of an attempt that is kept for its measurement. Such a reply is no
    // wrong one, so a round may end without the tenth.
    if (attack.packets >= kGuesses)
        BOOST_TEST(outcome.over_tcp + outcome.won >= rounds * (1 - 1e-4));
}

unsigned attack_rounds() {
    return draws(1'000'000) / 10;
}

void set_edns(Parked& parked, bool dnssec_ok) {
    parked.edns.present = true;
    parked.edns.dnssec_ok = dnssec_ok;
}

// A client's subnet in its query, which the upstream gets.
void set_subnet(Parked& parked, unsigned subnet) {
    const std::array<std::uint8_t, 5> ecs{1, 24, 10, static_cast<std::uint8_t>(subnet >> 8),
                                          static_cast<std::uint8_t>(subnet)};
    parked.edns.present = true;
    std::ranges::copy(ecs, parked.qname.begin() + parked.qname_len);
    parked.edns.ecs_len = parked.ecs_asked = static_cast<std::uint8_t>(ecs.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attack)

BOOST_AUTO_TEST_CASE(each_packet_is_one_guess_among_ports_and_ids) {
    check_attack({.ports = 1, .packets = 1}, attack_rounds() * 4, 1 / kIds);
    check_attack({.ports = 2, .packets = 5}, attack_rounds() * 2, 5 / (2 * kIds));
}

// However many packets come: the tenth wrong one sends the question over TCP.
BOOST_AUTO_TEST_CASE(a_flood_has_ten_guesses_for_a_question) {
    for (const unsigned packets : {10U, 25U})
        check_attack({.ports = 1, .packets = packets}, attack_rounds(), kGuesses / kIds);
}

BOOST_AUTO_TEST_CASE(who_knows_the_port_has_ten_guesses_among_the_ids) {
    check_attack({.ports = 512, .packets = 40, .knows_port = true}, attack_rounds(),
                 kGuesses / kIds);
}

// Three letters: one case of eight is right. A wrong one ends the guesses.
BOOST_AUTO_TEST_CASE(each_letter_halves_the_odds) {
    check_attack({.ports = 1, .packets = 10, .random_case = RandomCase::learned, .name = "a.bc"},
                 attack_rounds() * 2, kGuesses / kIds / 8);
}

BOOST_AUTO_TEST_CASE(equal_questions_are_one_query_however_many_clients_ask) {
    World w;
    for (unsigned i = 0; i < 60; ++i)
        w.ask(i % 2 == 0 ? "www.example" : "WWW.example");
    BOOST_TEST(w.station().frames.size() == 1U);
    BOOST_TEST(w.stat(Stat::upstream_coalesced) == 59U);
    // A refresh and a client over TCP join it as well.
    Parked* const refresh = w.park("www.example", 0, dns::kA);
    refresh->program.refresh = true;
    w.ask(refresh);
    w.ask_over_tcp("www.example");
    BOOST_TEST(w.station().frames.size() == 1U);
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().answers.size() == 62U);
}

// One worker owns a name: several workers have one query in flight for it, not one each.
BOOST_AUTO_TEST_CASE(equal_questions_on_two_workers_are_one_query) {
    World w(1, 2);
    for (const std::uint64_t owner : {0U, 1U}) {
        w.hash_salt = owner;
        for (unsigned i = 0; i < 40; ++i)
            w.ask("name" + std::to_string(owner) + ".example", i % 2);
        w.deliver();
        BOOST_TEST(w.station(0).frames.size() + w.station(1).frames.size() == owner + 1);
    }
}

BOOST_AUTO_TEST_CASE(do_and_cd_are_at_most_four_queries) {
    World w;
    for (unsigned i = 0; i < 40; ++i) {
        Parked* const parked = w.park("www.example", 0, dns::kA);
        set_edns(*parked, (i & 1) != 0);
        if ((i & 2) != 0) parked->flags |= dns::kCd;
        w.ask(parked);
    }
    BOOST_TEST(w.station().frames.size() == 4U);
}

// The subnet is the client's to choose: without a bound it could have as many queries in flight for
// a name as it likes, and each forged reply would have as many chances.
BOOST_AUTO_TEST_CASE(questions_that_differ_by_subnet_use_tcp_above_eight) {
    World w;
    for (unsigned i = 0; i < 40; ++i) {
        Parked* const parked = w.park("www.example", 0, dns::kA);
        set_subnet(*parked, i);
        w.ask(parked);
    }
    BOOST_TEST(w.station().frames.size() == kMaxVariants);
    BOOST_TEST(w.stat(Stat::upstream_variants) == 40U - kMaxVariants);
    BOOST_REQUIRE(w.station().kernel.size() == 40U - kMaxVariants);
    for (const KernelQuery& query : w.station().kernel)
        BOOST_TEST_REQUIRE((query.via == UpstreamVia::tcp));
    // Another type or name of the same clients is not concerned, and an answer makes room.
    w.ask("www.example", 0, dns::kAaaa);
    w.ask("other.example");
    BOOST_TEST(w.station().frames.size() == kMaxVariants + 2);
    w.answer(w.station().frames[0]);
    Parked* const next = w.park("www.example", 0, dns::kA);
    set_subnet(*next, 100);
    w.ask(next);
    BOOST_TEST(w.station().frames.size() == kMaxVariants + 3);
}

// Ten wrong guesses send all of them over TCP: not ten for each.
BOOST_AUTO_TEST_CASE(a_wrong_guess_counts_for_every_query_of_its_name) {
    World w;
    for (unsigned i = 0; i < kMaxVariants; ++i) {
        Parked* const parked = w.park("www.example", 0, dns::kA);
        set_subnet(*parked, i);
        w.ask(parked);
    }
    const auto frames = w.station().frames;
    BOOST_REQUIRE(frames.size() == kMaxVariants);
    Bytes forged = reply_to(frames[0].dns, {});
    std::uint16_t id = 0;
    for (unsigned i = 0; i < kGuesses; ++id) {
        const auto is_taken = [&](const Frame& f) { return id_of(f.dns) == id; };
        if (std::ranges::any_of(frames, is_taken)) continue;
        dns::store_be16(forged.data(), id);
        w.answer_with(frames[0], forged);
        ++i;
    }
    BOOST_TEST(w.stat(Stat::upstream_suspected) == kMaxVariants);
    BOOST_TEST(w.station().kernel.size() == kMaxVariants);
    for (const Frame& frame : frames)
        BOOST_TEST((w.answer(frame) != Verdict::upstream_reply || w.station().answers.empty()));
    BOOST_TEST(w.station().answers.empty());
}

// Who makes many queries use TCP brings no upstream into discredit by our limit of connections.
BOOST_AUTO_TEST_CASE(our_own_limits_do_not_count_against_the_upstream) {
    World w;
    w.station().hops.by_upstream[0].via = NextHop::Via::kernel;
    w.ask("www.example");
    w.fail_kernel(w.station().kernel[0], static_cast<int>(kForgedReplies));
    BOOST_REQUIRE(w.station().kernel.size() == 2U);
    w.fail_kernel(w.station().kernel[1], EBUSY);
    BOOST_TEST(w.station().forwarder.health(0).silent.load() == 0U);
    BOOST_TEST(w.station().forwarder.health(0).failures.get() == 0U);
    w.wait(400);
    BOOST_REQUIRE(w.station().kernel.size() == 3U);
    w.answer_kernel(w.station().kernel[2]);
    BOOST_TEST(w.station().answers.size() == 1U);
}

// Queries over connections cannot be forged: they need no bound.
BOOST_AUTO_TEST_CASE(upstreams_over_connections_have_no_bound) {
    World w;
    w.snapshot->upstreams[0].channel = Channel::stream;
    for (unsigned i = 0; i < 20; ++i) {
        Parked* const parked = w.park("www.example", 0, dns::kA);
        set_subnet(*parked, i);
        w.ask(parked);
    }
    BOOST_TEST(w.stat(Stat::upstream_variants) == 0U);
    BOOST_TEST(w.station().kernel.size() == 20U);
}

BOOST_AUTO_TEST_SUITE_END()

#include "routeros/writer.h"

#include <boost/test/unit_test.hpp>

namespace steer::routeros {
namespace {

Place place(unsigned n, const char* base = "10.0.0.0") {
    Place p{0, *Address::parse(base)};
    p.address.prefix = 128;
    p.address.bytes[14] = static_cast<std::uint8_t>(n >> 8);
    p.address.bytes[15] = static_cast<std::uint8_t>(n);
    return p;
}
Write add(unsigned n, WriteClass cls, std::uint64_t due_ms = 1000) {
    return {place(n), WriteKind::add, cls, 0, 0, due_ms};
}
Write saved(Write write) {
    write.saved = true;
    return write;
}
Write extend(unsigned n, WriteClass cls, std::uint32_t timeout_s, std::uint64_t due_ms = 100'000) {
    return {place(n), WriteKind::extend, cls, n + 1, timeout_s, due_ms};
}

struct WriterFixture {
    // Sends what may be sent now; the batches.
    std::vector<Batch> send() {
        std::vector<Batch> out;
        while (auto batch = writer.next(now)) {
            out.push_back(*batch);
            writer.sent(++tag, std::move(*batch), now);
        }
        return out;
    }
    void end_all() {
        while (ended < tag)
            writer.ended(++ended, now += 2);
    }

    Writer writer{0.9, 0.3};
    Tag tag = 0, ended = 0;
    std::uint64_t now = 1000;
};

BOOST_FIXTURE_TEST_SUITE(writer, WriterFixture)

BOOST_AUTO_TEST_CASE(held_writes_go_first) {
    for (unsigned i = 0; i < 100; ++i)
        writer.put(add(i, WriteClass::routine), now);
    for (unsigned i = 200; i < 300; ++i)
        writer.put(add(i, WriteClass::held), now);
    const auto sent = send();
    BOOST_REQUIRE(sent.size() == 100U);  // and no routine one: the router has enough to do
    for (const auto& batch : sent)
        BOOST_TEST((batch.cls == WriteClass::held));
    BOOST_TEST(writer.has_held());
    end_all();
    BOOST_TEST(!writer.has_held());
    const auto more = send();
    BOOST_TEST(!more.empty());
    BOOST_TEST(more.size() < 20U);
}

BOOST_AUTO_TEST_CASE(the_wait_of_a_held_write_is_less_what_the_router_has_worked) {
    for (unsigned i = 0; i < 40; ++i) {
        writer.put(add(i, WriteClass::held), now);
        send();
        end_all();
    }
    const double row_ms = *writer.service_us() / 1000;
    for (unsigned i = 100; i < 110; ++i)
        writer.put(add(i, WriteClass::held), now);
    const auto in_flight = static_cast<double>(send().size());
    BOOST_REQUIRE(in_flight >= 5);
    const auto wait_ms = [&](std::uint64_t later_ms) {
        return static_cast<double>(writer.held_wait_ms(kNoFlow, now + later_ms));
    };
    const double most_ms = wait_ms(0);
    BOOST_TEST(most_ms >= in_flight * row_ms - 1);
    BOOST_TEST(wait_ms(2) < most_ms);
    // What the first takes longer is not taken off those behind it.
    BOOST_TEST(wait_ms(1'000) >= (in_flight - 1) * row_ms - 1);
}

BOOST_AUTO_TEST_CASE(each_row_has_at_most_one_pending_write) {
    writer.put(add(1, WriteClass::routine), now);
    writer.put(add(1, WriteClass::held), now);
    BOOST_TEST(writer.queued() == 1U);
    BOOST_TEST(writer.has_held());
    BOOST_TEST(send().size() == 1U);
    writer.put(add(1, WriteClass::held), now);
    BOOST_TEST(send().empty());
    BOOST_TEST(writer.in_flight(place(1)));
    end_all();
    BOOST_TEST(!writer.in_flight(place(1)));
    writer.put(add(1, WriteClass::held), now);
    writer.drop(place(1));
    BOOST_TEST(send().empty());
    BOOST_TEST(writer.places() == 0U);
}

BOOST_AUTO_TEST_CASE(a_write_keeps_the_time_of_the_first_need_and_its_class_is_charged) {
    writer.put(add(1, WriteClass::routine), now);
    const std::uint64_t first = now;
    now += 40;
    writer.put(add(1, WriteClass::held), now);
    const auto sent = send();
    BOOST_REQUIRE(sent.size() == 1U);
    BOOST_TEST(sent[0].writes[0].since_ms == first);
    BOOST_TEST(writer.charged_us(WriteClass::held) == sent[0].estimate_us);
    BOOST_TEST(sent[0].estimate_us > 0);
    BOOST_TEST(writer.charged_us(WriteClass::routine) == 0);
}

BOOST_AUTO_TEST_CASE(the_oldest_add_is_known_until_it_ends) {
    BOOST_TEST(!writer.oldest_add_ms().has_value());
    const std::uint64_t first = now;
    writer.put(extend(7, WriteClass::routine, 300), now - 500);
    writer.put(add(1, WriteClass::held), now);
    now += 40;
    writer.put(add(2, WriteClass::routine), now);
    BOOST_TEST(writer.oldest_add_ms().value_or(0) == first);
    writer.drop(place(1));
    BOOST_TEST(writer.oldest_add_ms().value_or(0) == first + 40);
    send();
    BOOST_TEST(writer.oldest_add_ms().value_or(0) == first + 40);
    end_all();
    BOOST_TEST(!writer.oldest_add_ms().has_value());
}

BOOST_AUTO_TEST_CASE(delays_are_counted_by_their_bounds) {
    RowDelays delays;
    for (const std::uint64_t ms : {0U, 5U, 6U, 300'000U, 300'001U})
        delays.add(ms);
    BOOST_TEST(delays.counts.front() == 2U);
    BOOST_TEST(delays.counts[1] == 1U);
    BOOST_TEST(delays.counts[delays.counts.size() - 2] == 1U);
    BOOST_TEST(delays.counts.back() == 1U);
    BOOST_TEST(delays.sum_s == 600.012, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(renewals_are_collected_into_one_sentence) {
    for (unsigned i = 0; i < 5; ++i)
        writer.put(extend(i, WriteClass::routine, 660), now, true);
    writer.put(extend(9, WriteClass::routine, 1800), now, true);
    writer.put({place(1, "2001:db8::"), WriteKind::extend, WriteClass::routine, 1, 660, 100'000},
               now, true);
    BOOST_TEST(send().empty());
    BOOST_TEST(writer.next_ready_ms(now) == now + 2000);
    now += 2000;
    std::size_t rows = 0, sentences = 0;
    while (writer.places() > 0) {
        for (const auto& batch : send()) {
            ++sentences;
            rows += batch.writes.size();
            for (const auto& write : batch.writes) {
                BOOST_TEST(write.timeout_s == batch.timeout_s);
                BOOST_TEST((write.place.table() == batch.table));
            }
        }
        end_all();
    }
    BOOST_TEST(sentences == 3U);
    BOOST_TEST(rows == 7U);
}

BOOST_AUTO_TEST_CASE(a_sent_renewal_includes_others_with_the_same_timeout) {
    writer.put(extend(0, WriteClass::routine, 660), now, true);
    writer.put(extend(1, WriteClass::routine, 720), now += 1000, true);
    writer.put(extend(2, WriteClass::routine, 660), now += 900, true);
    BOOST_TEST(send().empty());
    const auto sent = [&] {
        now = writer.next_ready_ms(now);
        return send();
    };
    const auto first = sent();
    BOOST_TEST(now == 3000U);
    BOOST_REQUIRE(first.size() == 1U);
    BOOST_TEST(first[0].writes.size() == 2U);
    BOOST_TEST(first[0].timeout_s == 660U);
    const auto second = sent();
    BOOST_TEST(now == 4000U);
    BOOST_REQUIRE(second.size() == 1U);
    BOOST_TEST(second[0].writes.size() == 1U);
    end_all();
    BOOST_TEST(writer.places() == 0U);
    BOOST_TEST(writer.queued() == 0U);
}

BOOST_AUTO_TEST_CASE(a_renewal_waits_for_others_for_an_eighth_of_its_time) {
    writer.put(extend(0, WriteClass::routine, 660, now + 8000), now, true);
    BOOST_TEST(writer.next_ready_ms(now) == now + 1000);
    BOOST_TEST(send().empty());
    now += 1000;
    BOOST_TEST(send().size() == 1U);
    writer.put(extend(1, WriteClass::routine, 660, now + 800), now, true);
    BOOST_TEST(writer.next_ready_ms(now) == now + 250);
}

BOOST_AUTO_TEST_CASE(a_held_write_does_not_wait_for_renewals) {
    writer.put(extend(0, WriteClass::routine, 660), now, true);
    writer.put(extend(1, WriteClass::held, 660), now);
    const auto sent = send();
    BOOST_REQUIRE(sent.size() == 1U);
    BOOST_TEST(sent[0].writes.size() == 1U);
}

BOOST_AUTO_TEST_CASE(sentences_are_short_while_answers_are_held) {
    for (unsigned i = 0; i < 300; ++i)
        writer.put(extend(i, WriteClass::repair, 660), now);
    auto batches = send();
    BOOST_REQUIRE(!batches.empty());
    BOOST_TEST(batches.front().estimate_us > 20'000);
    BOOST_TEST(batches.front().estimate_us <= 100'000);
    end_all();
    writer.put(add(999, WriteClass::held), now);
    now += 500;
    std::size_t short_ones = 0;
    for (const auto& batch : send()) {
        if (batch.cls == WriteClass::held) continue;
        BOOST_TEST(batch.estimate_us <= 20'000);
        ++short_ones;
    }
    BOOST_TEST(short_ones > 0U);
}

BOOST_AUTO_TEST_CASE(a_due_renewal_counts_as_held) {
    writer.put(extend(1, WriteClass::routine, 660, now + 100), now, true);
    BOOST_TEST(!writer.has_held());
    BOOST_TEST(writer.next_ready_ms(now) == now + 100);
    now += 100;
    const auto sent = send();
    BOOST_REQUIRE(sent.size() == 1U);
    BOOST_TEST((sent[0].cls == WriteClass::held));
}

BOOST_AUTO_TEST_CASE(a_refused_batch_is_split_in_halves) {
    for (unsigned i = 0; i < 5; ++i)
        writer.put(extend(i, WriteClass::repair, 660), now);
    BOOST_REQUIRE(send().size() == 1U);
    auto batch = writer.ended(++ended, now);
    BOOST_REQUIRE(batch);
    writer.put_halves(*batch);
    BOOST_TEST(writer.in_flight(place(0)));
    const auto halves = send();
    BOOST_REQUIRE(halves.size() == 2U);
    BOOST_TEST(halves[0].writes.size() == 2U);
    BOOST_TEST(halves[1].writes.size() == 3U);
    end_all();
    BOOST_TEST(writer.places() == 0U);
}

// A router that takes `service_ms` for each add: rows per second of one class in ten seconds.
double rows_per_second(Writer& writer, WriteClass cls, std::uint64_t service_ms, std::uint64_t now,
                       bool without_timeout = false) {
    writer.set_rtt_ms(2);  // 1 ms there, 1 ms back
    for (unsigned i = 0; i < 20'000; ++i) {
        writer.put(without_timeout ? saved(add(i, cls, now)) : add(i, cls, now), now);
    }
    const std::uint64_t from = now;
    std::uint64_t free_at = now;
    std::multimap<std::uint64_t, Tag> replies;
    Tag tag = 0;
    std::size_t rows = 0;
    for (; now < from + 10'000; ++now) {
        while (!replies.empty() && replies.begin()->first <= now) {
            writer.ended(replies.begin()->second, now);
            replies.erase(replies.begin());
            ++rows;
        }
        while (auto batch = writer.next(now)) {
            writer.sent(++tag, std::move(*batch), now);
            free_at = std::max(free_at, now + 1) + service_ms;
            replies.emplace(free_at + 1, tag);
        }
    }
    return static_cast<double>(rows) / 10;
}

BOOST_AUTO_TEST_CASE(each_class_has_its_share_of_the_routers_time) {
    for (const std::uint64_t service_ms : {1U, 2U, 7U}) {
        const double own = 1000.0 / static_cast<double>(service_ms);
        Writer repair{0.9, 0.3}, routine{0.9, 0.3};
        const double repaired = rows_per_second(repair, WriteClass::repair, service_ms, 5000) / own;
        const double routinely =
            rows_per_second(routine, WriteClass::routine, service_ms, 5000) / own;
        BOOST_TEST(repaired > 0.85);
        BOOST_TEST(repaired < 0.97);
        BOOST_TEST(routinely > 0.25);
        BOOST_TEST(routinely < 0.37);
    }
}

BOOST_AUTO_TEST_CASE(rows_without_timeout_are_written_in_bursts_a_second_apart) {
    writer.put(saved(add(0, WriteClass::routine)), now);
    BOOST_TEST(send().size() == 1U);  // the first at once
    const std::uint64_t first_ms = now;
    for (unsigned i = 1; i <= 9; ++i) {
        now = first_ms + i * 100;
        writer.put(saved(add(i, WriteClass::routine)), now);
        end_all();
        BOOST_TEST(send().empty());
    }
    writer.put(add(100, WriteClass::routine), now);
    BOOST_TEST(send().size() == 1U);  // one with a timeout does not wait for them
    end_all();
    BOOST_TEST(writer.next_ready_ms(now) == first_ms + 1000);
    BOOST_TEST(writer.queued() == 9U);
    std::size_t rows = 0;
    for (now = first_ms + 1000; writer.places() > 0 && now < first_ms + 1500;) {
        rows += send().size();
        end_all();
    }
    BOOST_TEST(rows == 9U);
    BOOST_TEST(writer.queued() == 0U);
}

BOOST_AUTO_TEST_CASE(a_held_row_without_timeout_includes_the_waiting_ones) {
    writer.put(saved(add(0, WriteClass::routine)), now);
    send();
    end_all();
    now += 300;
    for (unsigned i = 1; i <= 3; ++i)
        writer.put(saved(add(i, WriteClass::routine)), now);
    BOOST_TEST(send().empty());
    writer.put(saved(add(9, WriteClass::held)), now);
    const auto held_ms = now;
    const auto sent = send();
    BOOST_REQUIRE(sent.size() == 4U);
    BOOST_TEST((sent[0].cls == WriteClass::held));
    end_all();
    writer.put(saved(add(4, WriteClass::routine)), now);
    BOOST_TEST(writer.next_ready_ms(now) == held_ms + 1000);
    writer.put(saved(add(4, WriteClass::held)), now);  // an answer is held for it now
    BOOST_TEST(send().size() == 1U);
}

BOOST_AUTO_TEST_CASE(removals_of_rows_without_timeout_share_sentences) {
    for (unsigned i = 0; i < 30; ++i)
        writer.put(saved({place(i), WriteKind::remove, WriteClass::repair, i + 1, 0, now}), now);
    const auto sent = send();
    BOOST_TEST(sent.size() < 6U);
    BOOST_TEST(sent.front().writes.size() >= 9U);
    writer.drop_queued();
    BOOST_TEST(writer.queued() == 0U);
}

BOOST_AUTO_TEST_CASE(bursts_stay_within_the_share) {
    for (const std::uint64_t service_ms : {2U, 7U}) {
        const double own = 1000.0 / static_cast<double>(service_ms);
        Writer routine{0.9, 0.3};
        const double rate =
            rows_per_second(routine, WriteClass::routine, service_ms, 5000, true) / own;
        BOOST_TEST(rate > 0.25);
        BOOST_TEST(rate < 0.37);
        Writer both{0.9, 0.3};
        for (unsigned i = 0; i < 20'000; ++i)
            both.put(saved(add(30'000 + i, WriteClass::routine, 5000)), 5000);
        rows_per_second(both, WriteClass::routine, service_ms, 5000);
        const std::size_t left_saved = both.queued_saved(), left = both.queued() - left_saved;
        BOOST_TEST_MESSAGE("timed " << 20'000 - left << " saved " << 20'000 - left_saved);
        BOOST_TEST(20'000 - left > own * 10 * 0.04);
        BOOST_TEST(20'000 - left_saved > own * 10 * 0.15);
    }
}

BOOST_AUTO_TEST_CASE(with_scripts_many_adds_share_a_sentence) {
    for (unsigned i = 0; i < 15; ++i)
        writer.put(add(i, WriteClass::routine), now);
    writer.set_scripts(true);
    for (const auto& batch : send())
        BOOST_TEST(batch.writes.size() == 1U);  // few
    end_all();
    writer.clear();
    now += 1000;
    for (unsigned i = 0; i < 20'000; ++i)
        writer.put(add(i, WriteClass::repair), now);
    Write own = add(30'000, WriteClass::repair, 0);  // the first
    own.alone = true;
    writer.put(own, now);
    writer.put({place(1, "2001:db8::"), WriteKind::add, WriteClass::repair, 0, 0, 1}, now);
    auto sent = send();
    BOOST_REQUIRE(sent.size() >= 2U);
    BOOST_TEST(sent[0].writes.size() == 1U);
    BOOST_TEST(sent[1].writes.size() == 1U);  // of the other menu: nothing shares it
    end_all();
    sent = send();
    BOOST_REQUIRE(!sent.empty());
    BOOST_TEST(sent[0].writes.size() > 10U);
    BOOST_TEST(sent[0].estimate_us <= 100'000);
    end_all();
    // While answers are held, and for some time after that, they are short.
    writer.put(add(40'000, WriteClass::held), now);
    for (unsigned second = 0; second < 12; ++second) {
        now += 1000;
        sent = send();
        BOOST_REQUIRE(!sent.empty());
        for (const auto& batch : sent) {
            if (second < 8) BOOST_TEST(batch.estimate_us <= 20'000);
        }
        end_all();
    }
}

BOOST_AUTO_TEST_CASE(routine_writes_use_their_share) {
    for (const double share : {0.05, 0.6, 0.9}) {
        Writer one{0.9, 0.3};
        one.set_shares(0.9, share);
        const double taken = rows_per_second(one, WriteClass::routine, 2, 5000) / 500;
        BOOST_TEST(taken > share * 0.85);
        BOOST_TEST(taken < share * 1.15 + 0.02);
    }
}

// 7 ms: the preset `slow` of the simulator.
BOOST_AUTO_TEST_CASE(a_slow_router_keeps_its_share) {
    struct {
        double share;
        std::uint64_t service_ms;
    } const cases[] = {{0.05, 7}, {0.1, 41}, {0.3, 45}, {0.9, 150}};
    for (const auto& c : cases) {
        for (const auto cls : {WriteClass::repair, WriteClass::routine}) {
            Writer one{c.share, c.share};
            const double used = rows_per_second(one, cls, c.service_ms, 5000) *
                                static_cast<double>(c.service_ms) / 1000;
            BOOST_TEST_CONTEXT(c.share << " at " << c.service_ms << " ms uses " << used) {
                BOOST_TEST(used > c.share * 0.7);
                BOOST_TEST(used < c.share * 1.15 + 0.02);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_slowest_router_still_gets_a_row_every_two_seconds) {
    Writer one{0.05, 0.05};
    const double rate = rows_per_second(one, WriteClass::routine, 400, 5000);
    BOOST_TEST(rate >= 0.4);  // 5 % of it would be one in eight seconds
    BOOST_TEST(rate <= 0.9);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros

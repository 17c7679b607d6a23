// The program has the same results with and without plans: answers, upstreams asked, claims, notes, state of parked queries.
// Random programs, names, types and flags; a new instruction has to be added to ProgramMaker.
#include "dataplane/policy/plan.h"

#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "dataplane/policy/branch.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/key_facts.h"
#include "packet/programs.h"
#include "support/dns_message.h"
#include "support/random.h"

namespace steer::test {
namespace {

constexpr std::size_t kNotes = 256;  // that a query may cause

// A program in the shape that the compiler gives to sequences.
class ProgramMaker {
  public:
    explicit ProgramMaker(Random& random) : random_(random) {
        for (std::uint16_t id = 0; id < 2; ++id)
            m_.cache(id);
        for (std::uint16_t id = 1; id <= 3; ++id) {
            PolicyList list = policy_list(id);
            list.has_v6 = id != 2;
            if (id == 3) list.missing_family = MissingFamily::nodata;
            list.has_v4 = id != 3;
            m_.list(list);
        }
        m_.upstream("198.51.100.53", 0);
        for (int i = 0; i < 2; ++i)
            m_.group({0});
        for (const char* rule : {"domain:a.example", "domain:b.example", "keyword:x",
                                 "domain:x.a.example", "full:b.example"})
            m_.domains({rule});
        for (const char* text : {"one", "two"})
            m_.text(text);
        for (const unsigned bit : {1U, 2U, 4U})
            m_.mark_mask(bit);
        m_.redirect({"x.a.example", "domain:b.example"}, "c.example");
        m_.redirect({"c.example", "keyword:z"}, "x.a.example");
        m_.snapshot().ecs_handlers.push_back({.preset_len = 5, .preset = {1, 24, 203, 0, 113}});
        m_.snapshot().option_codes = {{65001}};
        m_.snapshot().all_option_codes = {65001};
        m_.reverse(250);
        m_.collector("all");
        m_.learner(
            {.tag = "learn"});  // of no type: what it learned lately is not the same on both sides
        m_.ttl(60, UINT32_MAX);
        m_.ttl(0, 30);
        m_.black_hole("192.0.2.98");
        m_.black_hole(dns::kNxDomain);
        m_.answer_table({"domain:a.example", "keyword:x"}, "192.0.2.99");
        m_.answer_table({"full:b.example", "regexp:^c"}, "192.0.2.97");
        m_.live_answers({"b.example"}, "192.0.2.95");
        m_.live_answers({"c.example"}, "192.0.2.94");
        // Never empty: both sides take from it.
        m_.snapshot().rate_limiters.emplace_back(RateLimit{100'000, 65'536}, 16);
        m_.snapshot().time_tests.push_back({"always", std::make_shared<TimeWindow>()});
        m_.snapshot().time_tests.back().window->set(true);
        m_.snapshot().fallbacks.resize(2);
        m_.snapshot().prefers = {{}, {.wanted = dns::kAaaa, .other = dns::kA, .remember_s = 0}};
        m_.snapshot().dns64s.resize(2);
        for (Dns64& dns64 : m_.snapshot().dns64s)
            dns64.prefixes = {{dns::kWellKnownPref64, {}, {}}};
        m_.snapshot().dns64s[1].translate_all = true;
        m_.task("again");
        m_.snapshot().number_sets = {{0, 1}};
        m_.snapshot().marks = {{3, 0}, {5, 2}, {9, 1}};
        const auto add_text = [&](TextMatch::Of of, matchers::TextOperation operation,
                                  const char* word) {
            m_.snapshot().text_matches.push_back(
                {of, std::move(*matchers::TextTest::build(operation, {word}))});
        };
        add_text(TextMatch::Of::client, matchers::TextOperation::suffix, "1");
        add_text(TextMatch::Of::response, matchers::TextOperation::regexp, "^$|[.]9[89]");
        add_text(TextMatch::Of::marks, matchers::TextOperation::contains, "3,5");
        m_.snapshot().device_sets.emplace_back();
        m_.snapshot().prefix_sets.emplace_back(
            std::vector{*matchers::Prefix::parse("203.0.113.0/25")});
    }
    std::unique_ptr<Snapshot> make() {
        m_.snapshot().entries.clear();
        for (unsigned entries = 1 + random_.below(3); entries > 0; --entries) {
            m_.snapshot().entries.push_back(
                static_cast<std::uint16_t>(m_.snapshot().program.size()));
            wrappers_ = 0;
            sequence(instances_);
            ++instances_;
            m_.add(Op::forward, 0);
            m_.add(Op::end);
        }
        // Units; one may use the other.
        for (unsigned i = 0; i < 2; ++i) {
            Fallback& f = m_.snapshot().fallbacks[i];
            f.terms = {random_.below(2) == 0, random_.below(2) == 0, random_.below(4) != 0,
                       random_.below(4) != 0};
            for (std::uint16_t* pc : {&f.primary, &f.secondary}) {
                *pc = static_cast<std::uint16_t>(m_.snapshot().program.size());
                wrappers_ = 0;
                fallbacks_ = 1 - i;
                sequence(++instances_);
                m_.add(Op::end);
            }
        }
        if (random_.below(2) == 0) m_.snapshot().prefers[0].probe = unit_of_probe();
        return m_.finish();
    }

  private:
    // It leads to no other branches.
    std::uint16_t unit_of_probe() {
        const auto pc = static_cast<std::uint16_t>(m_.snapshot().program.size());
        wrappers_ = prefers_ = fallbacks_ = 0;
        sequence(++instances_);
        m_.add(Op::end);
        return pc;
    }
    void sequence(std::uint8_t instance) {
        returns_.emplace_back();
        for (unsigned rules = 1 + random_.below(6); rules > 0; --rules) {
            std::vector<std::uint16_t> tests;
            for (unsigned n = random_.below(3); n > 0; --n)
                tests.push_back(test(instance));
            if (random_.below(40) == 0) {  // `return` of this sequence or of one around it
                returns_[random_.below(static_cast<unsigned>(returns_.size()))].push_back(
                    m_.add(Op::go_to, 0, false, instance));
            } else {
                add(any_op(), instance);
            }
            for (const std::uint16_t pc : tests)
                m_.land(pc);
        }
        for (const std::uint16_t pc : returns_.back())
            m_.land(pc);
        returns_.pop_back();
        m_.add(Op::sequence_end, 0, false, instance);
    }
    // Any, and more often those that make a way to a hit.
    Op any_op() {
        constexpr std::array kEarly{Op::enter_list,  Op::enter_list,    Op::enter_list,
                                    Op::enter_list,  Op::enter_summary, Op::enter_cache,
                                    Op::enter_cache, Op::sequence_end};
        constexpr std::array kOften{
            Op::enter_list,  Op::enter_list, Op::enter_list, Op::enter_cache, Op::enter_cache,
            Op::enter_cache, Op::forward,    Op::forward,    Op::claim_list,  Op::enter_redirect};
        if (m_.snapshot().program.size() < m_.snapshot().entries.back() + 6U &&
            random_.below(4) != 0)
            return kEarly[random_.below(kEarly.size())];
        if (random_.below(2) == 0) return kOften[random_.below(kOften.size())];
        return static_cast<Op>(random_.below(static_cast<unsigned>(Op::end) + 1));
    }
    std::uint32_t operand_of(Op op) {
        if (op == Op::if_tags || op == Op::if_cname) return random_.below(5);
        if (op == Op::if_marks || op == Op::if_text) return random_.below(3);
        return op == Op::if_random ? 1U << 31 : 0;
    }
    std::uint16_t test(std::uint8_t instance) {
        // Those of a plan's key often, so that there are plans.
        constexpr std::array kOften{Op::if_tags, Op::if_tags, Op::if_has_resp, Op::if_true,
                                    Op::if_marks};
        const bool any = random_.below(24) == 0;
        Op op =
            any ? static_cast<Op>(random_.below(kTestOps)) : kOften[random_.below(kOften.size())];
        if (op == Op::if_rate) op = Op::if_time;  // the snapshot has no limiter
        const std::uint16_t pc = m_.test(op, operand_of(op), random_.below(3) == 0);
        m_.snapshot().program[pc].instance = instance;
        return pc;
    }
    void wrap(Op op, std::uint32_t operand, std::uint8_t instance, bool short_circuit = false) {
        if (wrappers_ == kMaxWrappers) return;
        ++wrappers_;
        m_.add(op, operand, short_circuit, instance);
    }
    void add(Op op, std::uint8_t instance) {
        switch (op) {
#define STEER_TEST_CASE(name, operand, plan, hit, traits) case Op::name:
            STEER_TESTS(STEER_TEST_CASE)
#undef STEER_TEST_CASE
            if (op != Op::if_text || random_.below(4) == 0) m_.land(test(instance));
            break;
            case Op::go_to:
                m_.land(m_.add(op, 0, false, instance));
                break;
            case Op::mark:
                m_.add(op, random_.below(3), false, instance);
                break;
            case Op::forward:
                m_.add(op, random_.below(2), random_.below(2) == 0, instance);
                break;
            case Op::sleep:
                m_.add(op, random_.below(2), false, instance);
                break;
            case Op::enter_prefer:
                if (prefers_ > 0) wrap(op, --prefers_, instance);
                break;
            case Op::enter_dns64:
                if (prefers_ > 0) wrap(op, --prefers_, instance);
                break;
            case Op::ad_list:
            case Op::deny_private:
            case Op::watch_targets:
            case Op::static_records:  // tables, which tests/differential makes (tables, policy)
            case Op::enter_rpz:
                break;
            case Op::allow:
            case Op::rules:  // there are no rules: all pass
                m_.add(op, 0, false, instance);
                break;
            case Op::pass_allowed:
                m_.land(m_.add(op, 0, false, instance));
                break;
            case Op::fallback:
                if (fallbacks_ > 0)
                    m_.add(op, 2 - 1 - random_.below(fallbacks_), random_.below(2) == 0, instance);
                break;
            case Op::enter_cache:
                wrap(op, random_.below(2), instance, random_.below(2) == 0);
                break;
            case Op::enter_list:
                wrap(op, random_.below(3), instance);
                break;
            case Op::claim_list:
                m_.add(op, random_.below(3), false, instance);
                break;
            case Op::enter_summary:
                wrap(op, random_.below(2), instance);
                break;
            case Op::debug_print:
                if (random_.below(4) == 0) m_.add(op, random_.below(2), false, instance);
                break;
            case Op::raise:
                if (random_.below(4) == 0) m_.add(op, 0, false, instance);
                break;
            case Op::enter_redirect:
                if (redirects_ > 0) wrap(op, --redirects_ % 2, instance);
                break;
            case Op::enter_ecs:
            case Op::enter_options:
            case Op::enter_pointer64:
                if (redirects_ == 0) break;
                --redirects_;
                wrap(op, 0, instance);
                break;
            case Op::enter_reverse:
            case Op::enter_collector:
            case Op::enter_learn:
                if (random_.below(3) == 0) wrap(op, 0, instance);
                break;
            case Op::answer_pointer:  // of what was learned, which is not the same on both sides
            case Op::drop_response:
                if (op == Op::drop_response) m_.add(op, 0, false, instance);
                break;
            case Op::limit_ttls:
            case Op::black_hole:
            case Op::answer_table:
            case Op::live_answers:
                if (random_.below(op == Op::limit_ttls ? 2 : 6) == 0)
                    m_.add(op, random_.below(2), random_.below(2) == 0, instance);
                break;
            case Op::reject:
                if (random_.below(2) == 0) m_.add(op, dns::kRefused, false, instance);
                break;
            case Op::drop:
            case Op::stop:
                if (random_.below(2) == 0) m_.add(op, 0, false, instance);
                break;
            case Op::sequence_end:
            case Op::end:
                if (instances_ < 6) sequence(++instances_);
                break;
        }
    }

    Random& random_;
    SnapshotMaker m_;
    std::vector<std::vector<std::uint16_t>> returns_;  // of the sequences that are open
    unsigned wrappers_ = 0;
    unsigned prefers_ = 2;                 // that may still be used
    unsigned redirects_ = Rewrites::kMax;  // the same
    unsigned fallbacks_ = 2;               // the last so many may be used
    std::uint8_t instances_ = 0;
};

struct Asked {
    Bytes message;
    dns::Query query;
    std::uint8_t entry = 0;
};

Asked random_query(Random& random) {
    static constexpr std::array kNames{"a.example",   "x.a.example", "y.a.example",   "b.example",
                                       "w.b.example", "c.example",   "xx.c.example",  "x.example",
                                       "a.b.example", "z.example",   "q.x.a.example", "b"};
    static constexpr std::array<std::uint16_t, 3> kTypes{dns::kA, dns::kAaaa, 16};
    Asked a;
    DnsMessage m =
        DnsMessage::query(7, kNames[random.below(kNames.size())], kTypes[random.below(3)],
                          random.below(8) == 0 ? 0x0110 : 0x0100);
    if (random.below(2) == 0) m.opt(1232, random.below(4) == 0);
    a.message = m.bytes();
    BOOST_REQUIRE(dns::parse_query(a.message, a.query) == dns::QueryError::none);
    return a;
}

// What an upstream says: always the same to the same question.
Bytes upstream_says(const dns::Query& q, std::uint16_t group) {
    unsigned sum = q.qtype + group;
    for (const std::uint8_t byte : q.name())
        sum += byte;
    const std::uint16_t rcode = sum % 5 == 0 ? dns::kNxDomain : dns::kNoError;
    Bytes bytes =
        DnsMessage::response(7, "", q.qtype, static_cast<std::uint16_t>(0x8180 | rcode)).bytes();
    bytes.erase(bytes.begin() + 12);
    bytes.insert(bytes.begin() + 12, q.qname.begin(), q.qname.begin() + q.qname_len);
    if (rcode != dns::kNoError || q.qtype == 16) return bytes;
    const auto last = static_cast<std::uint8_t>(sum);
    bytes[7] = 1;
    const Bytes v4{0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 203, 0, 113, last};
    const Bytes v6{0xc0, 12,   0, 28, 0, 1, 0, 0, 1, 44, 0, 16, 0x20, 1,
                   0xd,  0xb8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,    last};
    const Bytes& record = q.qtype == dns::kA ? v4 : v6;
    bytes.insert(bytes.end(), record.begin(), record.end());
    return bytes;
}

// All that others see of a query's way.
struct Seen {
    std::vector<unsigned> asked;                // groups
    std::vector<std::vector<unsigned>> waited;  // with what the record waited for each
    Bytes answer;
    unsigned ede = 0, age_s = 0;
    bool dropped = false;
    std::vector<unsigned> lists;
    std::vector<std::string> notes;
    bool operator==(const Seen&) const = default;
};

// A worker's part in it, with a cache of its own.
class Side {
  public:
    explicit Side(bool plans)
        : plans_(plans),
          qsbr_(static_cast<rte_rcu_qsbr*>(
              rte_zmalloc("plan_test", rte_rcu_qsbr_get_memsize(1), 64))) {
        rte_rcu_qsbr_init(qsbr_, 1);
        cache_.emplace(cache::CacheOptions{std::size_t{2} << 20, sizes_}, qsbr_);
        cache_writer_.emplace(0, &*cache_, std::span<Ring<Message>* const>{}, counters);
        executor_.emplace(0, &*cache_, hasher_, pools_, *cache_writer_, &notes_, counters);
    }
    ~Side() {
        cache_.reset();
        rte_free(qsbr_);
    }
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;

    Seen ask(const Snapshot& snapshot, const Asked& a, Now now) {
        Seen seen;
        QueryContext c(snapshot, a.query);
        c.qname_as_sent = a.message.data() + dns::kHeaderSize;
        c.started_us = now.micros();
        if (!plans_) {
            c.begin(nullptr, a.entry);
        } else if (begin_with_plan(c, a.entry, now, seen)) {
            return seen;
        }
        go_on(c, executor_->run(c, now), a, now, seen);
        static const dns::Answer kNothing{};
        const bool dropped = c.state.dropped;
        take(dropped ? kNothing : c.response.answer(), c.response.age_s(now.s()), seen);
        seen.dropped = dropped;
        if (c.response.ede()) seen.ede = 1U + static_cast<unsigned>(*c.response.ede());
        seen.lists = {c.state.lists.begin(), c.state.lists.begin() + c.state.list_count};
        while (cache_->turn(now, counters)) {
        }
        return seen;
    }

    Counters counters;
    unsigned plain_hits = 0, plain_claims = 0, moved_on = 0, others = 0;

  private:
    // As the resolver does when no upstream is late.
    void go_on(QueryContext& c, Step step, const Asked& a, Now now, Seen& seen) {
        for (; step != Step::answered;) {
            seen.waited.push_back(waits_with(c.state));
            BOOST_REQUIRE(seen.waited.size() < 1000);
            if (step == Step::asks) {
                seen.asked.push_back(c.group);
                step =
                    executor_->resume(c, answer_of(c.asked(), c.group, now), dns::Ede::other, now);
            } else if (step == Step::sleeps) {
                step = executor_->run(c, now);
            } else {
                step = branch(c, a, now, seen);
            }
        }
    }
    static const QueryContext* pointer_to(const std::optional<QueryContext>& branch) {
        return branch ? &*branch : nullptr;
    }
    Step branch(QueryContext& c, const Asked& a, Now now, Seen& seen) {
        Branches b;
        std::array<std::optional<QueryContext>, kMaxBranches> branches;
        Asked probe = a;
        probe.query.qtype = branch_type(c, 1);
        for (;;) {
            const NextOfBranches next = next_branch(c, b);
            if (next == NextOfBranches::take_first)
                return executor_->take_branch(c, *branches[0], pointer_to(branches[1]), now);
            if (next == NextOfBranches::take_second)
                return executor_->take_branch(c, *branches[1], pointer_to(branches[0]), now);
            if (next == NextOfBranches::none) return executor_->skip_branches(c, now);
            if (next == NextOfBranches::fail)
                return executor_->resume(c, nullptr, dns::Ede::other, now);
            const unsigned which = next == NextOfBranches::begin_first ? 0 : 1;
            BOOST_REQUIRE(b.is[which] == Branches::Is::not_begun);
            const Asked& asked = which == 1 ? probe : a;
            branches[which].emplace(c.snapshot, asked.query);
            begin_branch(c, which, *branches[which]);
            go_on(*branches[which], executor_->run(*branches[which], now), asked, now, seen);
            b.is[which] = end_of_branch(*branches[which]);
            if (b.is[which] == Branches::Is::failed) b.is[which] = Branches::Is::without_answer;
        }
    }
    // As lookup() and Resolver::answer_hit() do. True: a plain hit was the answer.
    bool begin_with_plan(QueryContext& c, std::uint8_t entry, Now now, Seen& seen) {
        const Plan* plan = nullptr;
        if (c.snapshot.likely_cache >= 0) {
            c.found = found_in(c.snapshot.likely_cache, c, now);
            if (c.found != nullptr) plan = executor_->plan(c.snapshot, c.found->tags.load(), entry);
        }
        if (plan == nullptr) plan = executor_->plan(c.snapshot, c.query, entry);
        c.begin(plan, entry);
        if (plan == nullptr) return false;
        moved_on += plan->pc != c.snapshot.entries[entry];
        others += entry != 0 && plan->pc != c.snapshot.entries[entry];
        if (plan->cache < 0) return false;
        c.lookup_cache = plan->cache;
        if (c.snapshot.likely_cache < 0) c.found = found_in(plan->cache, c, now);
        if (c.found == nullptr || c.found->tags.load() >> 32 < c.snapshot.generation) return false;
        const Plan* const of_hit = executor_->plan(c.snapshot, c.found->tags.load(), entry);
        HitLists claimed;
        if (of_hit == nullptr || !of_hit->hit_is_plain ||
            !Executor::claim_hit(c.snapshot, *of_hit, *c.found, claimed))
            return false;
        ++plain_hits;
        plain_claims += claimed.list_count > c.found->list_count;
        take(c.found->answer(), c.found->born.age_s(now.s()), seen);
        seen.lists = {claimed.lists.begin(), claimed.lists.begin() + claimed.list_count};
        return true;
    }
    const cache::Entry* found_in(int place, const QueryContext& c, Now now) {
        const cache::Entry* found = nullptr;
        const cache::KeyFacts facts =
            key_facts(c.query, c.snapshot.caches[static_cast<std::size_t>(place)]);
        const cache::Key key = hasher_(facts);
        cache_->lookup(&key, &facts, 1, now.s(), &found);
        return found;
    }
    void take(const dns::Answer& answer, unsigned age_s, Seen& seen) {
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&answer);
        seen.answer.assign(bytes, bytes + answer.size());
        seen.age_s = age_s;
        Note n;
        while (notes_.pop(&n, 1) == 1) {
            seen.notes.push_back(std::to_string(static_cast<unsigned>(n.kind)) + " " +
                                 std::to_string(n.text) + " " + std::to_string(n.has_response) +
                                 " " + std::to_string(n.rcode) + " " +
                                 std::to_string(n.response_bytes));
        }
    }
    static std::vector<unsigned> waits_with(const ProgramState& s) {
        std::vector<unsigned> all{s.pc, static_cast<unsigned>(s.marks)};
        all.insert(all.end(), s.wrappers.begin(), s.wrappers.begin() + s.depth);
        all.insert(all.end(), s.lists.begin(), s.lists.begin() + s.list_count);
        return all;
    }
    Buffer* answer_of(const dns::Query& q, std::uint16_t group, Now now) {
        Buffer* const b = pools_.take(1000);
        dns::UpstreamFacts facts;
        BOOST_REQUIRE(dns::build_answer(upstream_says(q, group), q.name(), q.qtype, 1, false,
                                        b->room(), facts) == dns::AnswerError::none);
        b->length = static_cast<std::uint32_t>(b->answer().size());
        b->serial = ++serial_;
        b->born_ms = static_cast<std::int64_t>(now.ms);
        return b;
    }

    bool plans_;
    rte_rcu_qsbr* qsbr_;
    std::array<std::uint32_t, 2> sizes_{200, 200};
    BufferPools pools_{63, 7};
    std::array<std::uint8_t, 16> secret_{2};
    cache::KeyHasher hasher_{secret_};
    Ring<Note> notes_{kNotes, nullptr};
    std::uint32_t serial_ = 0;
    std::optional<cache::Cache> cache_;
    std::optional<CacheWriter> cache_writer_;
    std::optional<Executor> executor_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(plan)

BOOST_AUTO_TEST_CASE(a_program_has_the_same_results_with_and_without_plans) {
    Random random(20260802);
    Side with(true), without(false);
    Now now{1'000'000};
    for (std::uint32_t generation = 1; generation <= 5000; ++generation) {
        const auto snapshot = ProgramMaker(random).make();
        snapshot->generation = generation;
        for (unsigned i = 0; i < 200; ++i) {
            now.ms += random.below(1500);
            Asked asked = random_query(random);
            asked.entry = static_cast<std::uint8_t>(
                random.below(static_cast<unsigned>(snapshot->entries.size())));
            const Seen expected = without.ask(*snapshot, asked, now);
            const Seen got = with.ask(*snapshot, asked, now);
            BOOST_TEST_CONTEXT("program " << generation << " query " << i << " type "
                                          << asked.query.qtype) {
                BOOST_TEST(got.asked == expected.asked);
                BOOST_TEST((got.waited == expected.waited));
                BOOST_TEST((got.answer == expected.answer));
                BOOST_TEST(got.ede == expected.ede);
                BOOST_TEST(got.age_s == expected.age_s);
                BOOST_TEST(got.dropped == expected.dropped);
                BOOST_TEST(got.lists == expected.lists);
                BOOST_TEST(got.notes == expected.notes);
            }
            BOOST_REQUIRE((got == expected));
        }
    }
    // And it was about something.
    BOOST_TEST(with.plain_hits > 1000U);
    BOOST_TEST(with.plain_claims > 100U);
    BOOST_TEST(with.moved_on > 10'000U);
    BOOST_TEST(with.others > 5'000U);
    BOOST_TEST(with.counters.get(Stat::plans_made) > 500U);
    BOOST_TEST(with.counters.get(Stat::notes_sent) > 500U);
    BOOST_TEST(with.counters.get(Stat::notes_dropped) == 0U);
    BOOST_TEST(with.counters.get(Stat::cache_hits) > 1000U);
}

BOOST_AUTO_TEST_CASE(a_memo_keeps_each_plan_in_place_for_one_generation) {
    PlanMemo memo;
    const auto tags_of = [](std::uint64_t generation, std::uint32_t tag_set) {
        return generation << 32 | tag_set;
    };
    std::vector<const Plan*> places;
    unsigned without = 0;
    for (const bool again : {false, true}) {
        std::size_t at = 0;
        for (std::uint8_t entry = 0; entry < 3; ++entry) {
            for (std::uint32_t tag_set = 1; tag_set <= 2000; ++tag_set) {
                Plan* const plan = memo.find(tags_of(7, tag_set), entry);
                if (again) BOOST_REQUIRE(plan == places[at++]);
                if (again) continue;
                places.push_back(plan);
                if (plan == nullptr) ++without;
                if (plan == nullptr) continue;
                BOOST_REQUIRE(plan->tags == 0U);  // free
                plan->tags = tags_of(7, tag_set);
                plan->entry = entry;
            }
        }
    }
    BOOST_TEST(without > 6000U - TagSets::kCapacity - 1);
    BOOST_TEST(without < 6000U);
    BOOST_TEST(memo.find(tags_of(8, 1), 5) != nullptr);
}

// 20 rules that claim for a list each, then a cache: a name in two of their sets.
BOOST_AUTO_TEST_CASE(a_plan_continues_at_the_cache_after_the_rules) {
    SnapshotMaker m;
    const auto list = m.list(policy_list(1));
    for (unsigned i = 0; i < 20; ++i) {
        const auto test =
            m.test(Op::if_tags, m.domains({"domain:s" + std::to_string(i) + ".example"}));
        m.add(i == 3 ? Op::enter_list : Op::mark, i == 3 ? list : m.mark_mask(1U << i));
        m.land(test);
    }
    const auto cache_pc = m.add(Op::enter_cache, m.cache(), true);
    m.add(Op::sequence_end);
    m.add(Op::end);
    const auto snapshot = m.finish();
    BOOST_TEST(snapshot->plans_by_name);
    BOOST_TEST(bool{snapshot->program[cache_pc - 1U].in_prefix});
    BOOST_TEST(!snapshot->program[cache_pc].in_prefix);
    matchers::TagBits sets;
    sets.set(3);
    sets.set(5);
    const Plan plan = make_plan(*snapshot, sets);
    BOOST_TEST(plan.pc == cache_pc);
    BOOST_TEST(plan.cache == 0);
    BOOST_TEST(plan.marks == 1U << 5);
    BOOST_TEST(plan.depth == 1);
    BOOST_TEST(plan.hit_is_plain);
    BOOST_TEST(plan.hit_list_count == 1);
    BOOST_TEST(make_plan(*snapshot, {}).depth == 0);
}

BOOST_AUTO_TEST_CASE(a_prefix_ends_before_instructions_with_visible_effects) {
    const auto end_of = [](Op op, std::uint32_t operand) {
        SnapshotMaker m;
        m.text("text");
        m.task("again");
        m.add(Op::mark, m.mark_mask(1));
        m.add(op, operand);
        m.add(Op::enter_cache, m.cache(), true);
        m.add(Op::sequence_end);
        m.add(Op::end);
        return m.finish();
    };
    // A note before the cache is written for each query, a task raised by each; the cache is looked up with the
    // others all the same.
    for (const Op op : {Op::debug_print, Op::raise}) {
        const auto seen = end_of(op, 0);
        BOOST_TEST(seen->plans[0].pc == 1);
        BOOST_TEST(seen->plans[0].cache == 0);
        BOOST_TEST(!seen->plans[0].hit_is_plain);
    }
    // One at the end as well, but until then there is only a wrapper.
    const auto summary = end_of(Op::enter_summary, 0);
    BOOST_TEST(summary->plans[0].pc == 2);
    BOOST_TEST(summary->plans[0].cache == 0);
    BOOST_TEST(!summary->plans[0].hit_is_plain);
    const auto nothing = end_of(Op::mark, 0);
    BOOST_TEST(nothing->plans[0].hit_is_plain);
    BOOST_TEST(!nothing->hit_reads_tags);
}

// [set] cache one ; note ; cache two: names that are not in the set are kept by the second.
BOOST_AUTO_TEST_CASE(a_cache_behind_a_note_is_a_second_one) {
    SnapshotMaker m;
    m.text("text");
    const auto test = m.test(Op::if_tags, m.domains({"domain:a.example"}));
    m.add(Op::enter_cache, m.cache(0));
    m.land(test);
    m.add(Op::debug_print, 0);
    m.add(Op::enter_cache, m.cache(1));
    m.add(Op::sequence_end);
    m.add(Op::end);
    const auto snapshot = m.finish();
    BOOST_TEST(make_plan(*snapshot, {}).cache == 1);
    BOOST_TEST(snapshot->plans_by_name);
    BOOST_TEST(snapshot->likely_cache == -1);
}

// cache ; has_resp: accept ; [set] list ; forward: as mosdns's users write it.
BOOST_AUTO_TEST_CASE(a_hit_is_plain_when_the_program_accepts_after_the_cache) {
    SnapshotMaker m;
    m.add(Op::enter_cache, m.cache());
    const auto has_resp = m.test(Op::if_has_resp);
    m.add(Op::stop);
    m.land(has_resp);
    m.land(m.test(Op::if_tags, m.domains({"domain:stream.example"})));
    m.upstream("198.51.100.53", 0);
    m.add(Op::forward, m.group({0}));
    m.add(Op::sequence_end);
    m.add(Op::end);
    const auto snapshot = m.finish();
    BOOST_TEST(snapshot->plans[0].hit_is_plain);
    BOOST_TEST(!snapshot->hit_reads_tags);
    BOOST_TEST(!snapshot->plans_by_name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test

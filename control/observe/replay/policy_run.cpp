#include "control/observe/replay/policy_run.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "control/api/log/mnemonics.h"
#include "control/observe/trace/trace_copy.h"
#include "dataplane/dns/name.h"
#include "dataplane/policy/branch.h"
#include "dataplane/policy/executor.h"
#include "matchers/name_matcher.h"

namespace steer::replay {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes message_of(const ReplayedQuery& query) {
    Bytes out{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};  // RD, one question
    out.insert(out.end(), query.name.begin(), query.name.end());
    for (const std::uint16_t n : {query.qtype, query.qclass}) {
        out.push_back(static_cast<std::uint8_t>(n >> 8U));
        out.push_back(static_cast<std::uint8_t>(n));
    }
    return out;
}

std::string text_of(const dns::Answer& answer) {
    std::string out = ops::rcode_name(answer.rcode);
    for (unsigned i = 0; i < answer.address_count; ++i) {
        const dns::AddressRef& at = answer.addresses()[i];
        const std::uint8_t* const bytes = answer.body() + at.rdata_offset;
        out += " " +
               (at.is_v6 != 0 ? IpAddress::from_v6(bytes) : IpAddress::from_v4(bytes)).to_string();
    }
    const unsigned others = answer.ancount - std::min(answer.ancount, answer.address_count);
    if (others != 0)
        out += " and " + std::to_string(others) + (others == 1 ? " record" : " records");
    return out;
}

// Answers of upstreams for one run.
enum class Answers : std::uint8_t { known, none };

}  // namespace

class PolicyRun::Impl {
  public:
    Impl(const config::Settings& settings, const build::Built& built, BufferPools& buffers, Now now)
        : settings_(settings),
          snapshot_(*built.snapshot),
          sets_(built.sets),
          buffers_(buffers),
          now_(now),
          cache_writer_(0, nullptr, {}, counters_),
          executor_(0, nullptr, hasher_, buffers, cache_writer_, nullptr, counters_) {}

    Decision decide(const ReplayedQuery& query, Answers answers) {
        Decision out;
        run_ = {.query = &query, .answers = answers, .out = &out};
        const Bytes message = message_of(query);
        dns::Query q;
        if (dns::parse_query(message, q) != dns::QueryError::none) {
            out.ending = out.policy = Ending::error;
            return out;
        }
        q.over_v4 = query.client.is_v4();
        add_sets(query, out);
        const auto entry = entry_of(query);
        if (!entry) {
            out.unknown = "the configuration has no entry '" + query.entry + "'";
            return out;
        }
        if (!snapshot_.allow.contains(query.client)) {
            out.ending = out.policy = Ending::refused;
            return out;
        }
        Trace trace;
        TraceHead head{};
        head.began_ms = now_.ms;
        if (!trace.begin(buffers_, 1, head)) {
            out.unknown = "no free buffer: try again";
            return out;
        }
        {
            QueryContext c(snapshot_, q);
            c.qname_as_sent = message.data() + dns::kHeaderSize;
            c.client.address = query.client;
            c.started_us = now_.micros();
            c.trace = {&trace, 0};
            c.begin(nullptr, *entry);
            go_on(c, executor_.run(c, now_), 0);
            finish(c, out);
        }
        Buffer* const events = trace.take();
        const TraceCopy copy = copy_trace(*events);
        release(events);
        read(copy, out);
        return out;
    }
    // The tag of the executor that a query comes to; empty: there is none.
    [[nodiscard]] std::string entry_tag(const ReplayedQuery& query) const {
        const auto entry = entry_of(query);
        if (!entry || *entry >= settings_.entries.size()) return {};
        return settings_.plugin(settings_.entries[*entry]).tag;
    }
    // Whether the last run used the known answer, and rules read it.
    [[nodiscard]] bool used_answer() const { return run_.used_answer; }
    [[nodiscard]] bool read_answer() const { return run_.read_answer; }

  private:
    struct Run {
        const ReplayedQuery* query = nullptr;
        Answers answers = Answers::none;
        Decision* out = nullptr;
        bool used_answer = false, read_answer = false;
    };

    void add_sets(const ReplayedQuery& query, Decision& out) {
        if (snapshot_.names == nullptr) return;
        const matchers::TagBits bits = snapshot_.names->match(query.name, snapshot_.scratches[0]);
        for (const build::NamedSet& set : sets_) {
            if (set.bits.any_of(bits)) out.sets.push_back(set.tag);
        }
    }
    [[nodiscard]] std::optional<std::uint8_t> entry_of(const ReplayedQuery& query) const {
        if (snapshot_.entries.size() == 1) return std::uint8_t{0};
        if (query.server) return snapshot_.frontends.of_datagram(*query.server, kServerPort);
        if (query.entry.empty()) return std::uint8_t{0};
        for (std::size_t i = 0; i < settings_.entries.size(); ++i) {
            if (settings_.plugin(settings_.entries[i]).tag == query.entry)
                return static_cast<std::uint8_t>(i);
        }
        return std::nullopt;
    }

    // As a worker's resolver does when every upstream answers at once.
    void go_on(QueryContext& c, Step step, unsigned depth) {
        while (step != Step::answered) {
            if (step == Step::asks) {
                step = ask(c, depth);
            } else if (step == Step::sleeps) {
                step = executor_.run(c, now_);
            } else {
                step = branch(c, depth);
            }
        }
    }
    Step ask(QueryContext& c, unsigned depth) {
        Ask ask = ask_of(c);
        Buffer* answer = depth == 0 ? known_answer(c, ask) : nullptr;
        const bool is_known = answer != nullptr;
        run_.used_answer |= is_known;
        if (!is_known) answer = buffer_of(any_message(c.asked()), c.asked());
        if (answer == nullptr) miss("no free buffer: try again", run_.out->asks.size());
        run_.out->asks.push_back(std::move(ask));
        c.trace.note(now_, TraceWhat::asked, is_known ? 1 : 0, c.state.pc, c.group);
        return executor_.resume(c, answer, dns::Ede::no_reachable, now_);
    }
    [[nodiscard]] Ask ask_of(const QueryContext& c) const {
        const UpstreamGroup& group = snapshot_.groups[c.group];
        Ask ask{group.name, {}, {}, {}};
        for (const std::uint16_t member : group.members)
            ask.upstreams.push_back(snapshot_.upstreams[member].name);
        if (!std::ranges::equal(c.asked().name(), run_.query->name))
            ask.name = dns::name_to_text(c.asked().name());
        if (c.asked().qtype != run_.query->qtype) ask.type = ops::type_name(c.asked().qtype);
        return ask;
    }
    // The answer that is known, if one of these upstreams can have sent it.
    Buffer* known_answer(const QueryContext& c, const Ask& ask) {
        const ReplayedQuery& query = *run_.query;
        if (run_.answers == Answers::none || !query.answer || !query.answer->is_upstreams)
            return nullptr;
        const auto is_one = [&](const std::string& name) {
            return std::ranges::find(ask.upstreams, name) != ask.upstreams.end();
        };
        if (!query.answered_by.empty() && std::ranges::none_of(query.answered_by, is_one))
            return nullptr;
        const auto message = replay::message_of(*query.answer, query.name, c.asked());
        return message ? buffer_of(*message, c.asked()) : nullptr;
    }
    // nullptr: no free buffer, or not an answer to this question.
    Buffer* buffer_of(const Bytes& message, const dns::Query& asked) {
        Buffer* const b = buffers_.take(kSmallBuffer);
        if (b == nullptr) return nullptr;
        dns::UpstreamFacts facts;
        if (dns::build_answer(message, asked.name(), asked.qtype, asked.qclass, false, b->room(),
                              facts, dns::Records::all) != dns::AnswerError::none) {
            release(b);
            return nullptr;
        }
        b->length = static_cast<std::uint32_t>(b->answer().size());
        b->serial = ++serial_;
        b->born_ms = static_cast<std::int64_t>(now_.ms);
        b->upstream = Buffer::kNoUpstream;
        return b;
    }
    Step branch(QueryContext& c, unsigned depth) {
        const Op op = snapshot_.program[c.state.pc].op;
        const std::size_t asks_before = run_.out->asks.size();
        std::size_t sure_asks = asks_before;
        Branches b;
        std::array<dns::Query, kMaxBranches> queries{c.query, c.query};
        std::array<std::optional<QueryContext>, kMaxBranches> branches;
        const auto pointer_to = [&](unsigned i) { return branches[i] ? &*branches[i] : nullptr; };
        for (;;) {
            const NextOfBranches next = next_branch(c, b);
            // Both branches of these ask, and their answers decide.
            if (op != Op::fallback && next != NextOfBranches::begin_first &&
                next != NextOfBranches::begin_second && run_.out->asks.size() > asks_before)
                miss(op == Op::enter_dns64
                         ? "dns64 needs the answers to A and AAAA"
                         : "prefer_ipv4 and prefer_ipv6 need the answers to A and AAAA",
                     sure_asks);
            switch (next) {
                case NextOfBranches::begin_first:
                case NextOfBranches::begin_second: {
                    const unsigned which = next == NextOfBranches::begin_first ? 0 : 1;
                    queries[which].qtype = branch_type(c, which);
                    branches[which].emplace(c.snapshot, queries[which]);
                    begin_branch(c, which, *branches[which]);
                    branches[which]->trace = {c.trace.get(), c.trace.get()->next_branch()};
                    // The answer of a fallback's unit is the query's.
                    go_on(*branches[which], executor_.run(*branches[which], now_),
                          op == Op::fallback ? depth : depth + 1);
                    b.is[which] = end_of_branch(*branches[which]);
                    if (which == 0) sure_asks = run_.out->asks.size();
                    break;
                }
                case NextOfBranches::take_first:
                    return executor_.take_branch(c, *branches[0], pointer_to(1), now_);
                case NextOfBranches::take_second:
                    return executor_.take_branch(c, *branches[1], pointer_to(0), now_);
                case NextOfBranches::none:
                    return executor_.skip_branches(c, now_);
                case NextOfBranches::fail:
                case NextOfBranches::wait:
                    return executor_.resume(c, nullptr, dns::Ede::no_reachable, now_);
            }
        }
    }
    // A fact is missing from here on; the first one counts.
    void miss(std::string fact, std::size_t sure_asks) {
        if (!run_.out->is_known()) return;
        run_.out->unknown = std::move(fact);
        run_.out->sure_asks = sure_asks;
    }

    void finish(const QueryContext& c, Decision& out) {
        out.policy = decision_of(snapshot_, c.state);
        for (unsigned l = 0; l < c.state.list_count; ++l)
            out.lists.push_back(snapshot_.lists[c.state.lists[l]].tag);
        std::ranges::sort(out.lists);
        if (c.state.dropped) {
            out.ending = Ending::dropped;
        } else if (c.response) {
            out.answer = text_of(c.response.answer());
        }
    }

    [[nodiscard]] RulePlace place_of(std::uint16_t pc) const {
        const ProgramSource& source = snapshot_.source;
        if (pc >= source.places.size()) return {};
        const ProgramSource::Place& at = source.places[pc];
        if (at.line == 0 || at.file >= source.files.size()) return {};
        return {pc < source.texts.size() ? source.texts[pc] : std::string(), source.files[at.file],
                at.line};
    }

    // What the events say: the instruction that made the answer, and facts that were missing.
    void read(const TraceCopy& trace, Decision& out) {
        if (trace.head.lost != 0) miss("the query runs through too many instructions", 0);
        Reading at;
        for (const TraceCopy::Event& event : trace.events)
            read(event.head, at);
        if (out.is_known()) out.sure_asks = out.asks.size();
        if (out.ending == Ending::dropped) {
            out.rule = place_of(at.last_step);
        } else if (at.writer == kTraceNone) {
            out.ending = Ending::empty;
        } else {
            out.ending = ending_by(at.writer);
            out.rule = place_of(at.writer);
        }
        if (out.ending == Ending::forwarded) out.answer.clear();
        if (at.held != kTraceNone) out.because = place_of(at.held);
    }
    struct Reading {
        std::uint16_t writer = kTraceNone;     // made the answer
        std::uint16_t held = kTraceNone;       // the last test that held
        std::uint16_t last_step = kTraceNone;  // the instruction
        std::uint16_t left = kTraceNone;       // a policy or records that it left
        std::uint16_t denied = kTraceNone;     // the ad list that denies the answer
        std::size_t asks = 0;
        bool is_known = true;  // the present answer
    };
    [[nodiscard]] Ending ending_by(std::uint16_t pc) const {
        return snapshot_.program[pc].op == Op::forward ? Ending::forwarded
                                                       : decision_by(snapshot_, pc);
    }
    void read(const TraceEvent& e, Reading& at) {
        if (e.what == TraceWhat::step) {
            at.last_step = e.pc;
            at.left = kTraceNone;
            step(e, at);
        } else if (e.what == TraceWhat::left) {
            left(e, at);
        } else if (e.what == TraceWhat::denied_target) {
            denied(e, at);
        } else if (e.what == TraceWhat::asked) {
            ++at.asks;
            at.is_known = e.flags != 0;
            at.denied = kTraceNone;
            at.writer = e.pc;
        } else if (e.what == TraceWhat::no_response) {
            at.writer = kTraceNone;
        } else if (e.what == TraceWhat::response) {
            response(e, at);
        }
    }
    void step(const TraceEvent& e, Reading& at) {
        const Instruction& i = snapshot_.program[e.pc];
        if (!is_test(i.op)) return;
        const RulePlace place = place_of(e.pc);
        if ((e.flags & trace_flags::kHeld) != 0 && place.line != 0) at.held = e.pc;
        const char* const fact = missing_fact(i, at);
        if (fact == nullptr) return;
        std::string text = fact;
        if (place.line != 0) text = "line " + std::to_string(place.line) + " reads " + text;
        miss(std::move(text), at.asks);
    }
    // nullptr: the test reads nothing that is missing.
    const char* missing_fact(const Instruction& i, const Reading& at) {
        constexpr const char* kAnswer = "the upstream's answer, which is not recorded";
        constexpr const char* kClient = "the client's address: only its prefix is recorded";
        if (has_trait(i.op, op_traits::kReadsChance)) return "chance or a rate";
        if (has_trait(i.op, op_traits::kReadsTime)) return "the time of day";
        if (has_trait(i.op, op_traits::kReadsLink)) return "the client's device or VLAN";
        if (i.op == Op::if_text) {
            switch (snapshot_.text_matches[i.operand].of) {
                case TextMatch::Of::server_name:
                case TextMatch::Of::url_path:
                    return "the TLS or HTTP request";
                case TextMatch::Of::client:
                    return run_.query->is_masked ? kClient : nullptr;
                case TextMatch::Of::response:
                    return reads_answer(at) ? kAnswer : nullptr;
                case TextMatch::Of::marks:
                    return nullptr;
            }
        }
        if (has_trait(i.op, op_traits::kReadsClient))
            return run_.query->is_masked ? kClient : nullptr;
        // That there is an answer is certain: every upstream answers.
        if (i.op == Op::if_has_resp || !has_trait(i.op, op_traits::kReadsResponse)) return nullptr;
        return reads_answer(at) ? kAnswer : nullptr;
    }
    // True: it reads a stand-in.
    bool reads_answer(const Reading& at) {
        const bool is_upstreams =
            at.writer != kTraceNone && snapshot_.program[at.writer].op == Op::forward;
        if (!is_upstreams) return false;
        run_.read_answer = true;
        return !at.is_known;
    }
    void left(const TraceEvent& e, Reading& at) {
        const Instruction& i = snapshot_.program[e.pc];
        if (i.op != Op::enter_rpz && i.op != Op::static_records) return;
        at.left = e.pc;
        if (i.op == Op::enter_rpz && snapshot_.rpzs[i.operand].asks_answers && reads_answer(at))
            miss("a policy zone reads the upstream's answer, which is not recorded", at.asks);
    }
    // The response that comes next is the ad list's.
    void denied(const TraceEvent& e, Reading& at) {
        if (reads_answer(at))
            miss("an ad list reads the upstream's answer, which is not recorded", at.asks);
        at.denied = e.pc;
    }
    void response(const TraceEvent& e, Reading& at) const {
        const Op op = snapshot_.program[e.pc].op;
        if (at.denied != kTraceNone) {
            at.writer = at.denied;
        } else if (at.left != kTraceNone) {
            at.writer = at.left;
        } else if (op != Op::enter_prefer && op != Op::enter_dns64 && op != Op::fallback &&
                   has_trait(op, op_traits::kWritesResponse)) {
            at.writer = e.pc;
        }
    }

    const config::Settings& settings_;
    const Snapshot& snapshot_;
    const std::vector<build::NamedSet>& sets_;
    BufferPools& buffers_;
    const Now now_;
    Counters counters_;
    std::array<std::uint8_t, 16> secret_{3};
    cache::KeyHasher hasher_{secret_};
    CacheWriter cache_writer_;
    Executor executor_;
    Run run_;
    std::uint32_t serial_ = 0;
};

PolicyRun::PolicyRun(const config::Settings& settings, const build::Built& built,
                     BufferPools& buffers, Now now)
    : impl_(std::make_unique<Impl>(settings, built, buffers, now)) {}
PolicyRun::~PolicyRun() = default;

Decision PolicyRun::decide(const ReplayedQuery& query) {
    return impl_->decide(query, Answers::known);
}

Decision PolicyRun::decide_recorded(ReplayedQuery& query) {
    if (query.server) query.entry = impl_->entry_tag(query);
    if (query.answer && !query.answer->upstream.empty())
        query.answered_by = {query.answer->upstream};
    Decision first = impl_->decide(query, Answers::known);
    if (!impl_->used_answer()) {
        // The rules answer, or other upstreams are asked than the one that answered.
        if (query.answer && query.answered_by.empty()) query.answer->is_upstreams = false;
        return first;
    }
    // The client's answer was the upstream's if it is the end of the only question, and not one that a rule gives in its
    // place.
    const bool is_upstreams = first.is_known() && first.ending == Ending::forwarded &&
                              first.asks.size() == 1 &&
                              (!impl_->read_answer() || is_plainly_upstreams(*query.answer));
    if (!is_upstreams) {
        query.answer->is_upstreams = false;
        return impl_->decide(query, Answers::none);
    }
    if (query.answered_by.empty()) query.answered_by = first.asks.front().upstreams;
    return first;
}

}  // namespace steer::replay

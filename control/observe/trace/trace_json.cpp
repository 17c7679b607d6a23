#include "control/observe/trace/trace_json.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>
#include <map>
#include <span>
#include <vector>

#include "control/api/log/mnemonics.h"
#include "control/observe/recorder/deciders.h"
#include "dataplane/base/query_counters.h"
#include "dataplane/dns/extended_errors.h"
#include "dataplane/dns/name.h"
#include "dataplane/forward/forwarder.h"
#include "dataplane/policy/decision.h"
#include "matchers/name_matcher.h"
#include "matchers/safe_text.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

std::string ms_text(std::uint32_t n) {
    return std::to_string(n) + " ms";
}
std::string seconds_text(std::uint32_t n) {
    return std::to_string(n) + " s";
}

class TraceWriter {
  public:
    TraceWriter(const TraceCopy& trace, const TraceTerms& terms)
        : trace_(trace), terms_(terms), name_(trace.head.name_len) {
        dns::lower_case(trace.head.name.data(), name_.data(), trace.head.name_len);
        if (terms.snapshot == nullptr || terms.snapshot->names == nullptr) return;
        matchers::NameMatcher::Scratch scratch;
        std::array<std::uint8_t, 256> name{};
        dns::lower_case(trace.head.name.data(), name.data(), trace.head.name_len);
        if (trace.head.name_len > 0 && terms.snapshot->names->prepare(scratch))
            tags_ = terms.snapshot->names->match({name.data(), trace.head.name_len}, scratch);
    }

    object event(const TraceCopy::Event& e) {
        object out{{"at_ms", e.head.at_ms},
                   {"what", kTraceLabels[static_cast<std::size_t>(e.head.what)]}};
        if (e.head.branch != 0) out["branch"] = e.head.branch;
        out["text"] = text(e, out);
        return out;
    }
    [[nodiscard]] array lists() const { return lists_; }

  private:
    [[nodiscard]] const Snapshot* snapshot() const { return terms_.snapshot; }
    // Where the instruction is written.
    void place(std::uint16_t pc, object& out) const {
        if (snapshot() == nullptr || pc >= snapshot()->program.size()) return;
        const ProgramSource& source = snapshot()->source;
        out["operation"] = traits_of(snapshot()->program[pc].op).name;
        if (pc >= source.places.size()) return;
        const ProgramSource::Place& at = source.places[pc];
        if (at.sequence < source.sequences.size()) out["sequence"] = source.sequences[at.sequence];
        if (at.line == 0 || at.file >= source.files.size()) return;
        out["file"] = source.files[at.file];
        out["line"] = at.line;
        if (pc < source.texts.size()) out["rule"] = source.texts[pc];
    }
    // The first written instruction of the query's program.
    [[nodiscard]] std::uint16_t first_pc() const {
        const std::uint8_t entry = trace_.head.entry;
        if (snapshot() == nullptr || entry >= snapshot()->entries.size()) return kTraceNone;
        std::size_t pc = snapshot()->entries[entry];
        const auto& places = snapshot()->source.places;
        while (pc < places.size() && places[pc].line == 0)
            ++pc;
        return static_cast<std::uint16_t>(pc);
    }
    std::string plan(const TraceEvent& e, object& out) const {
        place(first_pc(), out);
        object rest;
        place(e.pc, rest);
        out["until"] = std::move(rest);
        if ((e.flags & trace_flags::kHit) != 0) return "plan: a plain hit, no rule has to run";
        const bool is_empty = snapshot() != nullptr && e.pc <= first_pc();
        return is_empty ? "plan: the sets of the name decide no rule, all have to run"
                        : "plan: the sets of the name decide the first rules";
    }
    [[nodiscard]] std::string upstream(std::uint16_t id) const {
        if (snapshot() != nullptr) {
            for (const Upstream& u : snapshot()->upstreams) {
                if (u.id == id) return u.name;
            }
        }
        return "upstream " + std::to_string(id);
    }
    [[nodiscard]] std::string list(std::size_t index) const {
        if (snapshot() == nullptr || index >= snapshot()->lists.size())
            return "list " + std::to_string(index);
        return snapshot()->lists[index].tag;
    }
    [[nodiscard]] std::string cache_name(std::uint16_t pc) const {
        if (snapshot() == nullptr || pc >= snapshot()->program.size()) return "cache";
        const Instruction& i = snapshot()->program[pc];
        return i.op == Op::enter_cache ? "cache '" + snapshot()->caches[i.operand].tag + "'"
                                       : std::string("cache");
    }
    // The sets of the test that have the name.
    void add_sets(const TraceEvent& e, object& out) const {
        if (snapshot() == nullptr || terms_.sets == nullptr) return;
        const Instruction& i = snapshot()->program[e.pc];
        if (i.op != Op::if_tags) return;
        array sets;
        const matchers::TagBits& mask = snapshot()->tag_masks[i.operand];
        for (const build::NamedSet& set : *terms_.sets) {
            if (set.bits.any_of(mask) && set.bits.any_of(tags_)) sets.emplace_back(set.tag);
        }
        out["sets"] = std::move(sets);
    }
    static std::string rule_of(const object& out) {
        for (const char* const key : {"rule", "operation"}) {
            const auto* const found = out.if_contains(key);
            if (found != nullptr && !found->as_string().empty())
                return std::string(found->as_string());
        }
        return "an instruction";
    }

    // The static record that decided, found as the worker did (answer/static_records.h).
    void add_record(const TraceEvent& e, object& out) const {
        if (snapshot() == nullptr || e.pc >= snapshot()->program.size()) return;
        const Instruction& i = snapshot()->program[e.pc];
        const ProgramSource& source = snapshot()->source;
        if (i.op != Op::static_records || i.operand >= source.records.size()) return;
        const StaticRecords& records = snapshot()->statics[i.operand];
        const auto type = types_.find(e.branch);
        const std::uint16_t qtype = type != types_.end() ? type->second : trace_.head.qtype;
        matchers::NameMatcher::Scratch scratch;
        if (!records.by_name.prepare(scratch)) return;
        for (const StaticRecords::ByType& of : records.by_type) {
            if (!of.names.prepare(scratch)) return;
        }
        const StaticRecords::Does* const does = records.find(name_, qtype, scratch);
        if (does == nullptr) return;
        const auto& record =
            source.records[i.operand][static_cast<std::size_t>(does - records.does.data())];
        std::string rule = record.rule;
        if (record.qtype != 0) rule.append(" ").append(ops::type_name(record.qtype));
        object matched{{"rule", std::move(rule)}, {"says", "in"}};
        if (record.file < source.files.size() && record.line != 0) {
            matched["file"] = source.files[record.file];
            matched["line"] = record.line;
        }
        out["matched"] = array{std::move(matched)};
    }
    std::string step(const TraceEvent& e, object& out) const {
        place(e.pc, out);
        if ((e.flags & trace_flags::kPlan) != 0) out["by_plan"] = true;
        if ((e.flags & trace_flags::kHit) != 0) out["on_hit"] = true;
        if ((e.flags & trace_flags::kTest) == 0) {
            add_record(e, out);
            return rule_of(out);
        }
        const bool holds = (e.flags & trace_flags::kHeld) != 0;
        out["holds"] = holds;
        add_sets(e, out);
        return rule_of(out) + (holds ? ": holds" : ": does not hold");
    }

    // Of events about an instruction.
    std::string placed(const TraceCopy::Event& event, object& out) {
        const TraceEvent& e = event.head;
        if (e.what == TraceWhat::plan) return plan(e, out);
        place(e.pc, out);
        if (e.what == TraceWhat::left) return "left: " + rule_of(out);
        if (e.what == TraceWhat::cache) return cache(e, out);
        if (e.what == TraceWhat::marks) return "marks: " + marks(e);
        if (e.what == TraceWhat::refresh) return "a refresh in the background begins";
        if (e.what == TraceWhat::waits) return waits(e);
        const std::size_t length = std::min<std::size_t>(e.b, event.payload.size());
        if (e.what == TraceWhat::denied_target)
            return denied_target(e, {event.payload.data(), length}, out);
        name_.resize(length);
        dns::lower_case(event.payload.data(), name_.data(), length);
        const std::string name = dns::name_to_text({event.payload.data(), length});
        out["name"] = name;
        return "the question is now for " + name;
    }
    std::string of_upstream(const TraceEvent& e, object& out) const {
        if (e.what == TraceWhat::upstream_end) return std::string(upstream_result_text(e.flags));
        if (e.what == TraceWhat::joined)
            return "joins an identical upstream query, in flight for " + ms_text(e.b);
        const std::string name = upstream(e.pc);
        out["upstream"] = name;
        if (e.what == TraceWhat::asked) return "asks " + name + std::string(via_text(e.flags));
        if (e.what == TraceWhat::refused) {
            out["errno"] = e.b;
            if (e.b == kUpstreamDropsQuery)
                return name + " refuses the query, or closes its connections";
            return name + " cannot be reached: errno " + std::to_string(e.b);
        }
        out["took_ms"] = e.b;
        if (e.what == TraceWhat::silent) return name + " does not reply within " + ms_text(e.b);
        out["rcode"] = ops::rcode_name(e.flags);
        return name + " replies " + ops::rcode_name(e.flags) + " after " + ms_text(e.b);
    }
    std::string of_branch(const TraceEvent& e, object& out) {
        if (e.what == TraceWhat::branch_taken) {
            if (e.flags == UINT8_MAX) return "no branch has an answer: goes on without";
            return std::string("takes the answer of the ") + (e.flags == 0 ? "first" : "second") +
                   " branch";
        }
        out["number"] = e.b;
        const std::string name = "branch " + std::to_string(e.b);
        if (e.what == TraceWhat::branch_end)
            return name + " " + std::string(branch_end_text(e.flags));
        const auto type = static_cast<std::uint16_t>(e.c);
        types_[static_cast<std::uint8_t>(e.b)] = type;
        out["type"] = ops::type_name(type);
        return name + " begins, for " + ops::type_name(static_cast<std::uint16_t>(e.c));
    }

    std::string text(const TraceCopy::Event& event, object& out) {
        const TraceEvent& e = event.head;
        switch (e.what) {
            case TraceWhat::packet_cache:
                return packet_cache(e, out);
            case TraceWhat::step:
                return step(e, out);
            case TraceWhat::plan:
            case TraceWhat::left:
            case TraceWhat::cache:
            case TraceWhat::question:
            case TraceWhat::marks:
            case TraceWhat::waits:
            case TraceWhat::refresh:
            case TraceWhat::denied_target:
                return placed(event, out);
            case TraceWhat::claimed:
                out["list"] = list(e.b);
                return "claimed for list '" + list(e.b) + "'";
            case TraceWhat::unclaimed:
                out["list"] = list(e.b);
                return "no longer claimed for list '" + list(e.b) + "'";
            case TraceWhat::response:
                out["rcode"] = ops::rcode_name(e.flags);
                return "answer " + std::string(source_text(e.b)) + ": " + ops::rcode_name(e.flags) +
                       ", addresses: " + std::to_string(e.c);
            case TraceWhat::no_response:
                return "the answer so far is removed";
            case TraceWhat::dns64:
                return "dns64: AAAA are synthesized";
            case TraceWhat::joined:
            case TraceWhat::asked:
            case TraceWhat::replied:
            case TraceWhat::silent:
            case TraceWhat::refused:
            case TraceWhat::upstream_end:
                return of_upstream(e, out);
            case TraceWhat::upstream_ede:
                out["upstream"] = upstream(e.pc);
                return upstream(e.pc) + " says: " + extended_error(event, out);
            case TraceWhat::passed_ede:
                return "the upstream's extended error goes to the client: " +
                       extended_error(event, out);
            case TraceWhat::late:
                return "the upstream failed or is late: the stale answer is sent";
            case TraceWhat::branch:
            case TraceWhat::branch_end:
            case TraceWhat::branch_taken:
                return of_branch(e, out);
            case TraceWhat::row:
                return row(e, out);
            case TraceWhat::leave:
                return std::string(leave_text(e.flags)) +
                       (e.c != 0 ? ", for at most " + ms_text(e.c) : "");
            case TraceWhat::acknowledged:
                return std::string(outcome_text(e.flags)) +
                       (e.b != 0 ? "; " + std::to_string(e.b) + " more are awaited" : "");
            case TraceWhat::held_too_long:
                return "sync_timeout is over";
            case TraceWhat::decided:
                return decided(e, out);
            case TraceWhat::answer:
                return answer(event);
            case TraceWhat::end:
                return "end: " + end_label(trace_);
            case TraceWhat::count_:
                break;
        }
        return "";
    }

    std::string decided(const TraceEvent& e, object& out) const {
        const std::string word(label_of(static_cast<PolicyDecision>(e.flags)));
        out["decision"] = word;
        if (e.pc == kTraceNone || snapshot() == nullptr) return "decision: " + word;
        const recorder::DecidedTexts by = recorder::decided_texts(*snapshot(), e.pc);
        std::string text = "decision: " + word;
        if (!by.plugin.empty()) {
            out["plugin"] = by.plugin;
            text += " by " + by.plugin;
        }
        if (e.b < by.lists.size()) {
            out["decided_list"] = by.lists[e.b].name;
            text += ", list " + by.lists[e.b].name;
        }
        if (!by.rule.empty()) {
            out["decided_rule"] = by.rule;
            text += ", at " + by.rule;
        }
        return text;
    }
    std::string denied_target(const TraceEvent& e, std::span<const std::uint8_t> target,
                              object& out) const {
        const std::string name = dns::name_to_text(target);
        out["name"] = name;
        std::string text = "the answer points to " + name + ", which ";
        if (snapshot() == nullptr || e.pc >= snapshot()->program.size()) return text + "is blocked";
        const std::string& tag = snapshot()->ad_lists[snapshot()->program[e.pc].operand].tag;
        out["adlist"] = tag;
        return text + "adlist '" + tag + "' blocks";
    }

    std::string packet_cache(const TraceEvent& e, object& out) const {
        const auto does = static_cast<TracePacketCache>(e.flags);
        out["packet_cache"] = packet_cache_word(does);
        std::string text = "packet cache of worker " + std::to_string(trace_.head.worker) + ": " +
                           std::string(packet_cache_sentence(does));
        if (does != TracePacketCache::answered) return text;
        out["age_s"] = e.b;
        out["ttl_s"] = e.c;
        return text + ", age " + seconds_text(e.b) + ", TTL left " + seconds_text(e.c);
    }
    std::string cache(const TraceEvent& e, object& out) const {
        const auto is = static_cast<TraceCache>(e.flags);
        out["cache"] = cache_name(e.pc);
        out["result"] = cache_word(is);
        std::string text = cache_name(e.pc) + ": " + std::string(cache_sentence(is));
        if (is == TraceCache::miss || is == TraceCache::expired) return text;
        out["age_s"] = e.b;
        out["ttl_s"] = e.c;
        return text + ", age " + seconds_text(e.b) + ", TTL left " + seconds_text(e.c);
    }
    [[nodiscard]] std::string marks(const TraceEvent& e) const {
        const std::uint64_t bits = e.b | std::uint64_t{e.c} << 32;
        std::string text;
        if (snapshot() == nullptr) return text;
        for (const MarkNumber& mark : snapshot()->marks) {
            if ((bits >> mark.bit & 1) == 0) continue;
            text += (text.empty() ? "" : ", ") + std::to_string(mark.number);
        }
        return text.empty() ? "none" : text;
    }
    [[nodiscard]] std::string waits(const TraceEvent& e) const {
        if (static_cast<TraceWait>(e.flags) == TraceWait::time) return "waits " + ms_text(e.b);
        std::string names;
        if (snapshot() != nullptr && e.b < snapshot()->groups.size()) {
            for (const std::uint16_t member : snapshot()->groups[e.b].members)
                names += (names.empty() ? "" : ", ") + snapshot()->upstreams[member].name;
        }
        return "waits for an upstream of: " + names;
    }
    std::string row(const TraceEvent& e, object& out) {
        const std::string tag = list(e.pc);
        lists_.emplace_back(tag);
        out["list"] = tag;
        const std::string name = "list '" + tag + "': ";
        switch (static_cast<TraceRow>(e.flags)) {
            case TraceRow::covered:
                out["row"] = "covered";
                return name + "the rows on the router cover the answer";
            case TraceRow::written:
                out["row"] = "written";
                return name + "rows are written";
            case TraceRow::awaited:
                out["row"] = "awaited";
                return name + "rows are written, and the answer waits for them";
            case TraceRow::refused:
                out["row"] = "refused";
                return name + "it has no room for the row (on_full)";
        }
        return "";
    }
    static std::string ede_text(std::uint32_t code) {
        return "EDE " + std::to_string(code) + " (" +
               dns::extended_error_to_text(static_cast<std::uint16_t>(code)) + ")";
    }
    static std::string extended_error(const TraceCopy::Event& event, object& out) {
        const std::size_t length = std::min<std::size_t>(event.head.c, event.payload.size());
        const std::string extra_text = safe_text(
            {reinterpret_cast<const char*>(event.payload.data()), length}, kRemoteTextBytes);
        out["ede"] = event.head.b;
        out["ede_text"] = extra_text;
        return ede_text(event.head.b) + (extra_text.empty() ? "" : ", \"" + extra_text + "\"");
    }
    static std::string answer(const TraceCopy::Event& event) {
        std::string text = "answer: " + ops::rcode_name(event.head.flags);
        if (event.head.pc != kTraceNone) text += ", " + ede_text(event.head.pc);
        const auto addresses = addresses_of(event);
        for (std::size_t i = 0; i < addresses.size(); ++i)
            text += (i == 0 ? ", " : " ") + addresses[i].to_string();
        return text + (addresses.empty() ? "" : ", TTL " + seconds_text(event.head.b));
    }

    const TraceCopy& trace_;
    const TraceTerms& terms_;
    matchers::TagBits tags_{};
    array lists_;
    std::vector<std::uint8_t> name_;               // in force; lower-cased wire form
    std::map<std::uint8_t, std::uint16_t> types_;  // by branch
};

object trace_answer_json(const TraceCopy::Event& event) {
    array addresses;
    for (const IpAddress& address : addresses_of(event))
        addresses.emplace_back(address.to_string());
    object out{{"rcode", ops::rcode_name(event.head.flags)},
               {"ttl_s", event.head.b},
               {"age_s", event.head.c},
               {"addresses", std::move(addresses)}};
    if (event.head.pc != kTraceNone) out["ede"] = event.head.pc;
    return out;
}

}  // namespace

std::string trace_id_text(std::uint64_t id) {
    std::array<char, 16> room{};
    const auto end = std::to_chars(room.data(), room.data() + room.size(), id, 16).ptr;
    return {room.data(), end};
}

object trace_json(const TraceCopy& trace, const TraceTerms& terms) {
    const TraceHead& head = trace.head;
    TraceWriter writer(trace, terms);
    array steps;
    for (const TraceCopy::Event& e : trace.events) {
        // No instruction decided: the upstream's answer needs no line.
        const bool says_nothing = e.head.what == TraceWhat::decided && e.head.pc == kTraceNone;
        if (!says_nothing) steps.push_back(writer.event(e));
    }
    object out{{"id", trace_id_text(head.id)},
               {"name", dns::name_to_text(trace.name())},
               {"type", ops::type_name(head.qtype)},
               {"class", ops::class_name(head.qclass)},
               {"client", head.client.to_string()},
               {"client_port", head.client_port},
               {"server", head.local.to_string()},
               {"port", head.local_port},
               {"transport", kClientTransports.at(head.transport).label},
               {"injected", head.is_injected != 0},
               {"worker", head.worker},
               {"configuration", head.generation},
               {"took_ms", trace.events.empty() ? 0 : trace.events.back().head.at_ms},
               {"end", end_label(trace)},
               {"lists", writer.lists()},
               {"events_lost", head.lost},
               {"passed_by", head.passed_by}};
    if (const auto* const decided = trace.last(TraceWhat::decided))
        out["decision"] = label_of(static_cast<PolicyDecision>(decided->head.flags));
    if (const auto* const answer = trace.last(TraceWhat::answer))
        out["answer"] = trace_answer_json(*answer);
    out["way"] = std::move(steps);
    return out;
}

}  // namespace steer

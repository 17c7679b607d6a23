#include "control/observe/replay/decision.h"

#include <algorithm>
#include <boost/json/array.hpp>

namespace steer::replay {
namespace {

using boost::json::array;
using boost::json::object;

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words)
        out += (out.empty() ? "" : ", ") + word;
    return out;
}

array array_of(const std::vector<std::string>& words) {
    array out;
    for (const std::string& word : words)
        out.emplace_back(word);
    return out;
}

// Whether it is sure that one asks other upstreams than the other.
bool differ_surely(const Decision& a, const Decision& b) {
    const std::size_t both = std::min(a.sure_asks, b.sure_asks);
    if (!std::equal(a.asks.begin(), a.asks.begin() + static_cast<std::ptrdiff_t>(both),
                    b.asks.begin()))
        return true;
    // One is complete, with fewer questions than the other surely asks.
    return (a.is_known() && a.asks.size() < b.sure_asks) ||
           (b.is_known() && b.asks.size() < a.sure_asks);
}

}  // namespace

Compared compare(const Decision& before, const Decision& after) {
    if (before.is_known() && after.is_known()) {
        const bool is_same = before.ending == after.ending && before.asks == after.asks &&
                             before.answer == after.answer && before.lists == after.lists;
        return is_same ? Compared::same : Compared::different;
    }
    return differ_surely(before, after) ? Compared::different : Compared::unknown;
}

std::string text_of(const Decision& decision) {
    std::string out(label_of(decision.ending));
    if (!decision.is_known()) out = "unknown";
    if (!decision.answer.empty()) out += " " + decision.answer;
    for (const Ask& ask : decision.asks) {
        out += (&ask == decision.asks.data() ? " to " : ", then ") + joined(ask.upstreams);
        if (!ask.name.empty()) out += " for " + ask.name;
        if (!ask.type.empty()) out += " " + ask.type;
    }
    if (!decision.lists.empty()) out += "; lists: " + joined(decision.lists);
    if (!decision.is_known()) return out + "; " + decision.unknown;
    if (decision.rule.line != 0) out += "; line " + std::to_string(decision.rule.line);
    return out;
}

object to_json(const Decision& decision) {
    const auto word = [&](PolicyDecision of) {
        return decision.is_known() ? label_of(of) : std::string_view("unknown");
    };
    object out{{"end", word(decision.ending)},
               {"decision", word(decision.policy)},
               {"text", text_of(decision)}};
    array asks;
    for (const Ask& ask : decision.asks) {
        object one{{"forward", ask.forward}, {"upstreams", array_of(ask.upstreams)}};
        if (!ask.name.empty()) one["name"] = ask.name;
        if (!ask.type.empty()) one["type"] = ask.type;
        asks.push_back(std::move(one));
    }
    if (!asks.empty()) out["asks"] = std::move(asks);
    if (!decision.answer.empty()) out["answer"] = decision.answer;
    if (!decision.lists.empty()) out["lists"] = array_of(decision.lists);
    if (!decision.sets.empty()) out["sets"] = array_of(decision.sets);
    if (decision.rule.line != 0) {
        out["rule"] = decision.rule.text;
        out["file"] = decision.rule.file;
        out["line"] = decision.rule.line;
    }
    if (decision.because.line != 0) {
        out["because"] = decision.because.text;
        out["because_file"] = decision.because.file;
        out["because_line"] = decision.because.line;
    }
    if (!decision.is_known()) out["unknown"] = decision.unknown;
    return out;
}

}  // namespace steer::replay

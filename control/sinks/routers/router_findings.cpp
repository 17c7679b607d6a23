#include "control/sinks/routers/router_findings.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "control/host/process/state_file.h"
#include "matchers/safe_text.h"

namespace steer {
namespace {

namespace json = boost::json;
using routeros::Answer;
using routeros::Finding;
using routeros::Findings;
using routeros::Question;

constexpr std::size_t kMaxBytes = std::size_t{1} << 20, kMaxText = 400;

template <class F>
void for_each_question(F&& f) {
    for (std::size_t i = 0; i < routeros::kQuestions; ++i)
        f(static_cast<Question>(i));
}

Answer answer_of(std::string_view text) {
    for (std::size_t i = 0; i < routeros::kAnswers; ++i) {
        if (label(static_cast<Answer>(i)) == text) return static_cast<Answer>(i);
    }
    return Answer::unknown;
}

Findings read(const json::object& of_version) {
    Findings findings;
    for_each_question([&](Question question) {
        const json::value* const found = of_version.if_contains(label(question));
        const json::object* const one = found == nullptr ? nullptr : found->if_object();
        if (one == nullptr) return;
        findings[question] = {answer_of(text_at(*one, "answer")),
                              std::string(whole_bytes(text_at(*one, "text"), kMaxText))};
    });
    return findings;
}

}  // namespace

void RouterFindings::put(std::string_view version, const Findings& findings) {
    const auto found = known_.find(version);
    if (found != known_.end() && found->second == findings) return;
    known_.insert_or_assign(std::string(version), findings);
    if (changed_) changed_(findings_text(known_));
}

const Findings* RouterFindings::find(std::string_view version) const {
    const auto found = known_.find(version);
    return found == known_.end() ? nullptr : &found->second;
}

std::string findings_text(const RouterFindings::ByVersion& known) {
    json::object all;
    for (const auto& [version, findings] : known) {
        json::object of_version;
        for_each_question([&, &found = findings](Question question) {
            of_version[label(question)] = {{"answer", label(found[question].answer)},
                                           {"text", found[question].text}};
        });
        all[version] = std::move(of_version);
    }
    return json::serialize(all) + "\n";
}

Result<RouterFindings::ByVersion> load_findings(const std::string& file) {
    const auto all = load_state(file, kMaxBytes, "routers are asked again");
    if (!all) return all.error();
    RouterFindings::ByVersion known;
    for (const auto& [version, findings] : *all) {
        if (findings.is_object()) known.emplace(version, read(findings.get_object()));
    }
    return known;
}

Result<void> save_findings(const std::string& file, const std::string& text) {
    return save_state(file, text, {.setting = "findings"}, "what was found of RouterOS",
                      "the next start asks the routers again");
}

}  // namespace steer

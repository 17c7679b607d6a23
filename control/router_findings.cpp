#include "control/router_findings.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace steer {
namespace {

namespace json = boost::json;
using routeros::Answer;
using routeros::Finding;
using routeros::Findings;
using routeros::Question;

constexpr std::size_t kMostBytes = std::size_t{1} << 20, kMostText = 400;

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

std::string_view text_at(const json::object& object, std::string_view key) {
    const json::value* const found = object.if_contains(key);
    const json::string* const text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string_view{} : std::string_view(*text);
}

Findings read(const json::object& of_version) {
    Findings findings;
    for_each_question([&](Question question) {
        const json::value* const found = of_version.if_contains(label(question));
        const json::object* const one = found == nullptr ? nullptr : found->if_object();
        if (one == nullptr) return;
        findings[question] = {answer_of(text_at(*one, "answer")),
                              std::string(text_at(*one, "text").substr(0, kMostText))};
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
    std::ifstream in(file, std::ios::binary);
    if (!in) return RouterFindings::ByVersion{};
    std::string text(kMostBytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    boost::system::error_code error;
    const json::value all = json::parse(text, error);
    if (text.size() > kMostBytes || error || !all.is_object()) {
        return Error{file +
                     " has no findings of RouterOS versions: it is ignored, routers are asked "
                     "again, and it is written anew"};
    }
    RouterFindings::ByVersion known;
    for (const auto& [version, findings] : all.get_object()) {
        if (findings.is_object()) known.emplace(version, read(findings.get_object()));
    }
    return known;
}

Result<void> save_findings(const std::string& file, const std::string& text) {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (!fs::is_directory(fs::path(file).parent_path(), ignored)) return {};
    const std::string beside = file + ".new";
    std::ofstream out(beside, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (out && ::rename(beside.c_str(), file.c_str()) == 0) return {};
    Error error{"what was found of RouterOS cannot be kept in " + file + " (" +
                std::strerror(errno) +
                "): the next start asks the routers again; make its folder writable, or name "
                "another as 'findings' of 'control'"};
    fs::remove(beside, ignored);
    return error;
}

}  // namespace steer

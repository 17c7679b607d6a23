#include "control/operator/doctor/tell.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "dataplane/port/descriptor.h"
#include "matchers/safe_text.h"

namespace steer::doctor {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxTexts = 256, kMaxText = 512, kMaxReply = 64 * 1024;
constexpr std::size_t kMaxRemedy = 2'000, kMaxRemedies = 256 * 1'024;  // bytes of one, of all
constexpr timeval kPatience{5, 0};

// What `doctor.report` takes as `remedies`. Commands that a terminal would not take as they are shown are left out, and so
// are all commands of that finding: half of a change can be worse than none.
class Remedies {
  public:
    void add(std::size_t number, const Finding& finding) {
        std::vector<std::string> texts;
        const auto add = [&](const char* kind, const std::string& text) {
            texts.push_back(std::to_string(number) + " " + kind + " " + text);
        };
        std::vector<std::string> fix;
        for (const Change& change : finding.fix)
            fix.push_back(change.text());
        const auto is_plain = [](const std::string& text) {
            return !text.empty() && is_safe_text(text, kMaxRemedy);
        };
        if (!finding.why.empty()) add("why", safe_text(finding.why, kMaxText));
        if (!finding.advice.empty()) add("advice", safe_text(finding.advice, kMaxText));
        if (std::ranges::all_of(fix, is_plain) && std::ranges::all_of(finding.undo, is_plain)) {
            for (const std::string& command : fix)
                add("do", command);
            for (const std::string& command : finding.undo)
                add("undo", command);
        }
        std::size_t bytes = 0;
        for (const std::string& text : texts)
            bytes += text.size();
        if (bytes_ + bytes > kMaxRemedies) return;
        bytes_ += bytes;
        for (std::string& text : texts)
            all_.emplace_back(std::move(text));
    }
    json::array take() { return std::move(all_); }

  private:
    json::array all_;
    std::size_t bytes_ = 0;
};

std::string request_of(const Round& round, const WatchState& state) {
    const Judgement& judgement = round.judgement;
    json::array findings, steps;
    Remedies remedies;
    for (const Finding& finding : judgement.findings) {
        if (findings.size() == kMaxTexts) break;
        const char* const level = finding.level == Level::problem  ? "problem "
                                  : finding.level == Level::advice ? "advice "
                                                                   : "note ";
        remedies.add(findings.size(), finding);
        findings.emplace_back(safe_text(level + finding.check + " " + finding.what, kMaxText));
    }
    for (const Step& step : judgement.steps) {
        if (steps.size() == kMaxTexts) break;
        steps.emplace_back(safe_text(
            step.name + " " + std::string(text_of(step.end)) + " " + step.text, kMaxText));
    }
    const json::object params{{"router", judgement.router},
                              {"interval_s", state.interval_s},
                              {"trouble", safe_text(judgement.error, kMaxText)},
                              {"findings", std::move(findings)},
                              {"remedies", remedies.take()},
                              {"steps", std::move(steps)},
                              {"nat64_dead", state.is_nat64_dead},
                              {"option_108_withdrawn", !round.option.withdrawn.empty()}};
    return safe_json(json::serialize(json::object{
               {"jsonrpc", "2.0"}, {"id", 1}, {"method", "doctor.report"}, {"params", params}})) +
           "\n";
}

std::string read_line(int socket) {
    std::string line;
    std::array<char, 4096> part{};
    while (line.find('\n') == line.npos && line.size() < kMaxReply) {
        const ssize_t length = ::recv(socket, part.data(), part.size(), 0);
        if (length <= 0) break;
        line.append(part.data(), static_cast<std::size_t>(length));
    }
    return line.substr(0, line.find('\n'));
}

}  // namespace

std::string tell_daemon(const std::string& socket, const Round& round, const WatchState& state) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (socket.size() >= sizeof to.sun_path) return socket + " is too long for a socket";
    socket.copy(to.sun_path, sizeof to.sun_path - 1);
    const Descriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto failed = [&] { return socket + ": " + std::strerror(errno); };
    for (const int name : {SO_RCVTIMEO, SO_SNDTIMEO})
        ::setsockopt(connection.get(), SOL_SOCKET, name, &kPatience, sizeof kPatience);
    if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        return failed();
    const std::string request = request_of(round, state);
    if (::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
        return failed();
    json::error_code error;
    const json::value answer = json::parse(read_line(connection.get()), error);
    if (error || !answer.is_object()) return socket + ": no answer of steerdnsd";
    const auto* const refusal = answer.get_object().if_contains("error");
    if (refusal == nullptr) return {};
    const auto* const why =
        refusal->is_object() ? refusal->get_object().if_contains("message") : nullptr;
    return why != nullptr && why->is_string() ? std::string(why->get_string()) : "it was refused";
}

}  // namespace steer::doctor

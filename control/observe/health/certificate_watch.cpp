#include "control/observe/health/certificate_watch.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace steer {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::array<std::int64_t, 3> kDaysBefore{21, 7, 1};

// 0: nothing is due; 1, 2, 3: one of kDaysBefore has come; 4, 5, ...: it has ended, 0, 1, ... days ago.
std::int64_t step_of(std::int64_t ends_s, std::int64_t now_s) {
    const auto steps = static_cast<std::int64_t>(kDaysBefore.size());
    if (now_s > ends_s) return steps + 1 + (now_s - ends_s) / kDay;
    std::int64_t step = 0;
    for (const std::int64_t days : kDaysBefore)
        step += ends_s - now_s <= days * kDay ? 1 : 0;
    return step;
}

std::string date_of(std::int64_t at_s) {
    const std::time_t at = at_s;
    std::tm parts{};
    std::array<char, 40> text{};
    if (::gmtime_r(&at, &parts) == nullptr) return std::to_string(at_s);
    const std::size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
    return {text.data(), n};
}

std::string left_text(std::int64_t left_s) {
    const std::int64_t days = left_s / kDay;
    if (days > 1) return "in " + std::to_string(days) + " days";
    return days == 1 ? "in 1 day" : "in less than a day";
}

}  // namespace

std::string certificate_sentence(const CertificateEnd& certificate, std::int64_t now_s) {
    const bool has_ended = now_s > certificate.ends_s;
    return certificate.whose + (has_ended ? " expired on " : " expires ") +
           (has_ended ? "" : left_text(certificate.ends_s - now_s) + ", on ") +
           date_of(certificate.ends_s) + "; " + certificate.remedy;
}

std::vector<std::string> CertificateWatch::check(std::span<const CertificateEnd> certificates,
                                                 std::int64_t now_s) {
    std::vector<std::string> sentences;
    std::map<std::string, Reported> reported;
    for (const CertificateEnd& one : certificates) {
        const auto before = reported_.find(one.whose);
        Reported now{one.ends_s, step_of(one.ends_s, now_s)};
        const bool is_known = before != reported_.end() && before->second.ends_s == one.ends_s;
        const std::int64_t last = is_known ? before->second.step : 0;
        if (now.step > last) sentences.push_back(certificate_sentence(one, now_s));
        now.step = std::max(now.step, last);
        reported.insert_or_assign(one.whose, now);
    }
    reported_ = std::move(reported);
    return sentences;
}

}  // namespace steer

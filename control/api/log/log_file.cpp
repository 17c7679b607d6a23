#include "control/api/log/log_file.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "control/api/log/log_output.h"

namespace steer::ops {
namespace {

namespace fs = std::filesystem;
using config::RotationPeriod;
using Time = std::chrono::system_clock::time_point;

// Whether `text` is a date as period_of() writes it.
bool is_period(std::string_view text) {
    return text.size() >= std::string_view("2026-11-23").size() &&
           text.find_first_not_of("0123456789-") == std::string_view::npos;
}

class RotatingFile final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    RotatingFile(std::string path, const config::LogRotation& rotation,
                 std::shared_ptr<LogPatience> patience)
        : path_(std::move(path)), rotation_(rotation), patience_(std::move(patience)) {
        struct stat found {};
        if (::stat(path_.c_str(), &found) == 0 && found.st_size > 0)
            period_ =
                period_of(std::chrono::system_clock::from_time_t(found.st_mtime), rotation_.period);
        open();
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        std::string now = period_of(message.time, rotation_.period);
        if (!period_.empty() && now != period_) rotate(message);
        period_ = std::move(now);
        file_->log(message);
    }
    void flush_() override {}

  private:
    void open() {
        file_ = file_output(path_, patience_);
        file_->set_formatter(formatter_->clone());
    }
    void set_formatter_(std::unique_ptr<spdlog::formatter> formatter) override {
        file_->set_formatter(formatter->clone());
        formatter_ = std::move(formatter);
    }
    void set_pattern_(const std::string& pattern) override {
        set_formatter_(std::make_unique<spdlog::pattern_formatter>(pattern));
    }

    // The new name. It never overwrites a file, which can exist after the clock was set back.
    [[nodiscard]] std::string free_name() const {
        const std::string wished = path_ + "." + period_;
        std::string name = wished;
        std::error_code failed;
        for (int n = 2; fs::exists(name, failed); ++n)
            name = wished + "-" + std::to_string(n);
        return name;
    }

    void rotate(const spdlog::details::log_msg& cause) {
        std::error_code failed;
        fs::rename(path_, free_name(), failed);
        open();
        if (!failed) return remove_old();
        spdlog::details::log_msg message = cause;
        const std::string text = "the log file was not rotated: " + failed.message() +
                                 "; let the daemon's user write to its folder";
        message.level = spdlog::level::warn;
        message.payload = text;
        file_->log(message);
    }

    void remove_old() const {
        if (rotation_.max_files == 0) return;
        const fs::path path(path_);
        const std::string begin = path.filename().string() + ".";
        std::vector<fs::path> old;
        std::error_code failed;
        for (const auto& entry : fs::directory_iterator(
                 path.parent_path().empty() ? fs::path(".") : path.parent_path(), failed)) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with(begin) && is_period(std::string_view(name).substr(begin.size())))
                old.push_back(entry.path());
        }
        std::ranges::sort(old);
        for (std::size_t i = 0; i + rotation_.max_files < old.size(); ++i)
            fs::remove(old[i], failed);
    }

    std::string path_;
    config::LogRotation rotation_;
    std::string period_;  // of what is in the file; empty: nothing is, or it is never rotated
    std::shared_ptr<LogPatience> patience_;
    std::shared_ptr<spdlog::sinks::sink> file_;
};

}  // namespace

std::string period_of(Time at, RotationPeriod period) {
    using namespace std::chrono;
    const auto day = floor<days>(at);
    const auto date_of = [](sys_days of) {
        const year_month_day date(of);
        char text[32];
        (void)std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                            static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
        return std::string(text);
    };
    const hh_mm_ss clock(floor<minutes>(at - day));
    const auto two = [](auto count) {
        const std::string digits = std::to_string(count);
        return (digits.size() < 2 ? "-0" : "-") + digits;
    };
    switch (period) {
        case RotationPeriod::never:
            return {};
        case RotationPeriod::minutely:
            return date_of(day) + two(clock.hours().count()) + two(clock.minutes().count());
        case RotationPeriod::hourly:
            return date_of(day) + two(clock.hours().count());
        case RotationPeriod::daily:
            return date_of(day);
        case RotationPeriod::weekly:
            return date_of(day - (weekday(day) - Monday));
    }
    return {};
}

std::shared_ptr<spdlog::sinks::sink> open_log_file(const std::string& path,
                                                   const config::LogRotation& rotation,
                                                   std::shared_ptr<LogPatience> patience) {
    if (patience == nullptr) patience = std::make_shared<LogPatience>();
    struct stat is {};
    const bool is_pipe = ::stat(path.c_str(), &is) == 0 && S_ISFIFO(is.st_mode);
    if (rotation.period == RotationPeriod::never || is_pipe)
        return file_output(path, std::move(patience));
    return std::make_shared<RotatingFile>(path, rotation, std::move(patience));
}

}  // namespace steer::ops

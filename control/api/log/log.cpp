#include "control/api/log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "control/api/log/log_file.h"
#include "matchers/safe_text.h"

namespace steer::ops {
namespace {

constexpr const char* kWithTime = "%Y-%m-%d %H:%M:%S.%e%z %^%l%$ %v";

spdlog::level::level_enum to_spdlog(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::off:
            return spdlog::level::off;
        case config::LogLevel::trace:
            return spdlog::level::trace;
        case config::LogLevel::debug:
            return spdlog::level::debug;
        case config::LogLevel::info:
            return spdlog::level::info;
        case config::LogLevel::warn:
            return spdlog::level::warn;
        case config::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

// The copies of the log: at most one file. The sink can change while other threads log.
struct Copy {
    std::shared_ptr<spdlog::sinks::dist_sink_mt> sink =
        std::make_shared<spdlog::sinks::dist_sink_mt>();
    std::optional<std::pair<dev_t, ino_t>> file;  // the open one
    config::LogRotation rotation;
};
Copy& copy() {
    static Copy the_only;
    return the_only;
}

std::optional<std::pair<dev_t, ino_t>> file_at(const std::string& path) {
    struct stat out {};
    if (::stat(path.c_str(), &out) != 0) return std::nullopt;
    return std::pair{out.st_dev, out.st_ino};
}

// Makes each line safe once, before sinks and patterns: a line can quote other machines.
class SafeLogger final : public spdlog::logger {
  public:
    using spdlog::logger::logger;

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        if (is_safe_text(text, kSafeLineBytes)) return logger::sink_it_(message);
        const std::string line = safe_text(text, kSafeLineBytes);
        spdlog::details::log_msg safe = message;
        safe.payload = line;
        logger::sink_it_(safe);
    }
};

// sd-daemon(3): "<3>" and so on at the start of a line is its level in the journal.
class JournalLevel final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& out) override {
        char level = '6';
        if (message.level >= spdlog::level::err) {
            level = '3';
        } else if (message.level == spdlog::level::warn) {
            level = '4';
        } else if (message.level <= spdlog::level::debug) {
            level = '7';
        }
        out.push_back('<');
        out.push_back(level);
        out.push_back('>');
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalLevel>();
    }
};

// systemd.exec(5): JOURNAL_STREAM is device:inode of the stream that goes to the journal.
bool writes_to_journal(int fd) {
    const char* const stream = std::getenv("JOURNAL_STREAM");  // NOLINT: before threads
    struct stat out {};
    if (stream == nullptr || ::fstat(fd, &out) != 0) return false;
    return std::to_string(out.st_dev) + ":" + std::to_string(out.st_ino) == stream;
}

void set_form(spdlog::sinks::sink& sink, int fd) {
    if (!writes_to_journal(fd)) return sink.set_pattern(kWithTime);
    auto journal = std::make_unique<spdlog::pattern_formatter>();
    journal->add_flag<JournalLevel>('*').set_pattern("%*%v");
    sink.set_formatter(std::move(journal));
}

}  // namespace

Result<void> start_log(const config::Log& settings) {
    auto out = std::make_shared<spdlog::sinks::stdout_color_sink_mt>();
    set_form(*out, STDOUT_FILENO);
    copy() = {};
    auto logger =
        std::make_shared<SafeLogger>("steerdns", spdlog::sinks_init_list{out, copy().sink});
    logger->set_level(to_spdlog(settings.level));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
    return set_log_file(settings.file, settings.rotation);
}

Result<void> set_log_file(const std::string& path, const config::LogRotation& rotation) {
    Copy& kept = copy();
    if (kept.file && kept.file == file_at(path) && kept.rotation == rotation &&
        kept.rotation.period == config::RotationPeriod::never)
        return {};
    if (path.empty()) {
        kept.sink->set_sinks({});
    } else {
        try {
            auto file = open_log_file(path, rotation);
            file->set_pattern(kWithTime);
            kept.sink->set_sinks({std::move(file)});
        } catch (const spdlog::spdlog_ex& e) {
            return Error{"the log file cannot be opened: " + std::string(e.what()) +
                         "; make its folder, let the daemon's user write there, or change "
                         "log.file"};
        }
    }
    kept.file = file_at(path);
    kept.rotation = rotation;
    return {};
}

void log_refusal(const std::string& sentence) {
    auto out = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    set_form(*out, STDERR_FILENO);
    SafeLogger logger("steerdns", spdlog::sinks_init_list{out, copy().sink});
    logger.flush_on(spdlog::level::trace);
    logger.error("{}", sentence);
}

void set_log_level(config::LogLevel level) {
    spdlog::set_level(to_spdlog(level));
}

}  // namespace steer::ops

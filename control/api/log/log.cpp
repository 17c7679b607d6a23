#include "control/api/log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "control/api/log/log_file.h"
#include "control/api/log/log_output.h"
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

thread_local bool is_audit = false;

// The outputs, with a thread each: a reader that has stopped does not keep the other one waiting.
struct Log {
    std::shared_ptr<LogWriter> standard, copy;
    // Of the copy.
    std::optional<std::pair<dev_t, ino_t>> file;  // the open one
    config::LogRotation rotation;
    std::atomic<bool> is_ending{false};
};
Log& the_log() {
    static Log one;
    return one;
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

// A line waits in the output's queue, not in the thread that logs.
class QueuedSink final : public spdlog::sinks::sink {
  public:
    explicit QueuedSink(std::shared_ptr<LogWriter> writer) : writer_(std::move(writer)) {}

    void log(const spdlog::details::log_msg& message) override {
        writer_->push(message, the_log().is_ending.load(std::memory_order_relaxed) ? LineKind::last
                               : is_audit                                          ? LineKind::audit
                               : message.level >= spdlog::level::err               ? LineKind::error
                                                                     : LineKind::ordinary);
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  private:
    const std::shared_ptr<LogWriter> writer_;
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

std::shared_ptr<spdlog::sinks::sink> standard_output(int fd,
                                                     std::shared_ptr<LogPatience> patience) {
    auto output = inherited_output(fd, std::move(patience));
    if (!writes_to_journal(fd)) {
        output->set_pattern(kWithTime);
        return output;
    }
    auto journal = std::make_unique<spdlog::pattern_formatter>();
    journal->add_flag<JournalLevel>('*').set_pattern("%*%v");
    output->set_formatter(std::move(journal));
    return output;
}

void refuse(spdlog::sinks::sink& output, const std::string& sentence) {
    SafeLogger("steerdns", {&output, [](auto*) {}}).error("{}", sentence);
}

}  // namespace

Result<void> start_log(const config::Log& settings) {
    Log& log = the_log();
    end_log();
    log.file.reset();
    log.rotation = {};
    log.is_ending = false;
    try {
        log.standard = std::make_shared<LogWriter>("standard output", "log");
        log.copy = std::make_shared<LogWriter>("the log file", "log-file");
    } catch (const std::system_error& error) {
        return Error{"the log has no thread: " + error.code().message() +
                     "; raise the limit of threads (TasksMax, ulimit -u)"};
    }
    log.standard->set_output(standard_output(STDOUT_FILENO, log.standard->patience()));
    auto logger = std::make_shared<SafeLogger>(
        "steerdns", spdlog::sinks_init_list{std::make_shared<QueuedSink>(log.standard),
                                            std::make_shared<QueuedSink>(log.copy)});
    logger->set_level(to_spdlog(settings.level));
    spdlog::set_default_logger(std::move(logger));
    return set_log_file(settings.file, settings.rotation);
}

Result<void> set_log_file(const std::string& path, const config::LogRotation& rotation) {
    Log& log = the_log();
    if (log.file && log.file == file_at(path) && log.rotation == rotation &&
        log.rotation.period == config::RotationPeriod::never)
        return {};
    if (path.empty()) {
        log.copy->set_output(nullptr);
    } else {
        try {
            auto file = open_log_file(path, rotation, log.copy->patience());
            file->set_pattern(kWithTime);
            log.copy->set_output(std::move(file));
        } catch (const spdlog::spdlog_ex& e) {
            return Error{"the log file cannot be opened: " + std::string(e.what()) +
                         "; make its folder, let the daemon's user write there, or change "
                         "log.file"};
        }
    }
    log.file = file_at(path);
    log.rotation = rotation;
    return {};
}

// In order with the lines before it, so by the same thread.
void log_refusal(const std::string& sentence) {
    expect_last_lines();
    Log& log = the_log();
    if (log.standard == nullptr) {
        auto patience = std::make_shared<LogPatience>();
        patience->limit(LogPatience::Clock::now() + kLogEndPatience);
        return refuse(*standard_output(STDERR_FILENO, std::move(patience)), sentence);
    }
    log.standard->set_output(standard_output(STDERR_FILENO, log.standard->patience()));
    for (const auto& writer : {log.standard, log.copy}) {
        QueuedSink output(writer);
        refuse(output, sentence);
    }
    log.standard->set_output(standard_output(STDOUT_FILENO, log.standard->patience()));
}

void set_log_level(config::LogLevel level) {
    spdlog::set_level(to_spdlog(level));
}

AuditLine::AuditLine() {
    is_audit = true;
}

AuditLine::~AuditLine() {
    is_audit = false;
}

void expect_last_lines() {
    the_log().is_ending = true;
}

bool flush_log(std::chrono::milliseconds patience) {
    const auto end = LogPatience::Clock::now() + patience;
    bool is_done = true;
    for (const auto& writer : {the_log().standard, the_log().copy}) {
        using std::chrono::milliseconds;
        const auto left = std::chrono::duration_cast<milliseconds>(end - LogPatience::Clock::now());
        if (writer != nullptr && !writer->flush(std::max(left, milliseconds(0)))) is_done = false;
    }
    return is_done;
}

void end_log() {
    const auto end = LogPatience::Clock::now() + kLogEndPatience;
    for (const auto& writer : {the_log().standard, the_log().copy}) {
        if (writer != nullptr) writer->end(end);
    }
}

std::vector<LogReport> log_reports() {
    std::vector<LogReport> all;
    for (const auto& writer : {the_log().standard, the_log().copy}) {
        if (writer != nullptr) all.push_back(writer->report());
    }
    return all;
}

}  // namespace steer::ops

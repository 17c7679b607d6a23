#include "control/api/log/log_output.h"

#include <fcntl.h>
#include <limits.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/os.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "dataplane/port/descriptor.h"

namespace steer::ops {
namespace {

constexpr std::chrono::milliseconds kReopenEvery{250};

class OutputSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  public:
    explicit OutputSink(std::shared_ptr<LogPatience> patience) : patience_(std::move(patience)) {}

  protected:
    void flush_() override {}
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) {
        formatter_->format(message, line);
    }
    [[nodiscard]] LogPatience& patience() { return *patience_; }

  private:
    std::shared_ptr<LogPatience> patience_;
};

std::string_view color_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return "\033[31m\033[1m";
    if (level == spdlog::level::warn) return "\033[33m\033[1m";
    return level == spdlog::level::info ? "\033[32m" : "\033[36m";
}

class InheritedOutput final : public OutputSink {
  public:
    InheritedOutput(int descriptor, std::shared_ptr<LogPatience> patience)
        : OutputSink(std::move(patience)),
          descriptor_(descriptor),
          has_colors_(::isatty(descriptor) == 1 && spdlog::details::os::is_color_terminal()) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        message.color_range_start = message.color_range_end = 0;
        format(message, line);
        if (has_colors_ && message.color_range_end > message.color_range_start)
            line = colored(line, message);
        throw_unwritten(write_all(descriptor_, line, patience()));
    }

  private:
    static spdlog::memory_buf_t colored(const spdlog::memory_buf_t& line,
                                        const spdlog::details::log_msg& message) {
        const std::string_view text(line.data(), line.size());
        const auto begin = message.color_range_start, end = message.color_range_end;
        spdlog::memory_buf_t out;
        for (const std::string_view part :
             {text.substr(0, begin), color_of(message.level), text.substr(begin, end - begin),
              std::string_view("\033[m"), text.substr(end)})
            out.append(part.data(), part.data() + part.size());
        return out;
    }

    int descriptor_;
    bool has_colors_;
};

class FileOutput final : public OutputSink {
  public:
    FileOutput(std::string path, std::shared_ptr<LogPatience> patience)
        : OutputSink(std::move(patience)), path_(std::move(path)) {
        std::error_code error;  // then it cannot be opened
        const auto folder = std::filesystem::path(path_).parent_path();
        if (!folder.empty()) std::filesystem::create_directories(folder, error);
        open();
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        format(message, line);
        while (!write(line)) {  // the reader of the pipe is not there
        }
    }

  private:
    // Nothing is opened if it is a pipe without a reader.
    void open() {
        fd_ = steer::Descriptor(open_to_append(path_));
        struct stat is {};
        const int error = errno;
        const bool is_open = fd_.get() >= 0;
        const int found = is_open ? ::fstat(fd_.get(), &is) : ::stat(path_.c_str(), &is);
        is_pipe_ = found == 0 && S_ISFIFO(is.st_mode);
        if (!is_open && !(is_pipe_ && error == ENXIO))
            throw spdlog::spdlog_ex("Failed opening file " + path_ + " for writing", error);
    }

    // False: the pipe has no reader; try again. A new reader of it needs no new descriptor.
    bool write(const spdlog::memory_buf_t& line) {
        if (fd_.get() < 0) open();
        const int error = fd_.get() < 0 ? EPIPE : write_all(fd_.get(), line, patience());
        if (is_pipe_ && error == EPIPE && patience().pause(kReopenEvery)) return false;
        throw_unwritten(is_pipe_ && error == EPIPE ? ETIMEDOUT : error);
        return true;
    }

    const std::string path_;
    steer::Descriptor fd_;
    bool is_pipe_ = false;
};

}  // namespace

std::shared_ptr<spdlog::sinks::sink> inherited_output(int descriptor,
                                                      std::shared_ptr<LogPatience> patience) {
    return std::make_shared<InheritedOutput>(descriptor, std::move(patience));
}

std::shared_ptr<spdlog::sinks::sink> file_output(const std::string& path,
                                                 std::shared_ptr<LogPatience> patience) {
    return std::make_shared<FileOutput>(path, std::move(patience));
}

// At most PIPE_BUF bytes a time: with room for them, write() does not wait.
int write_all(int descriptor, const spdlog::memory_buf_t& line, LogPatience& patience) {
    std::string_view left(line.data(), line.size());
    while (!left.empty()) {
        if (!patience.wait_for_room(descriptor)) return ETIMEDOUT;
        const auto piece = left.substr(0, PIPE_BUF);
        const ssize_t n = ::write(descriptor, piece.data(), piece.size());
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return errno;
        left.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

void throw_unwritten(int error) {
    if (error == ETIMEDOUT) throw spdlog::spdlog_ex("it is not read");
    if (error != 0) throw spdlog::spdlog_ex(std::strerror(error));
}

// The mode whatever the umask is; permissions that an operator changed stay.
int open_to_append(const std::string& path) {
    constexpr mode_t kForOwnerAndGroup = 0640;
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    const int made =
        ::open(path.c_str(), kFlags | O_CREAT | O_EXCL | O_NOFOLLOW, kForOwnerAndGroup);
    if (made < 0) return ::open(path.c_str(), kFlags | O_CREAT, kForOwnerAndGroup);
    (void)::fchmod(made, kForOwnerAndGroup);
    return made;
}

}  // namespace steer::ops

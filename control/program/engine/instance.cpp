#include "control/program/engine/instance.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "control/host/process/child_process.h"
#include "control/program/engine/engine_call.h"
#include "control/program/engine/folders.h"

namespace steer::recursion {
namespace {

using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollPatience{2'000};
constexpr unsigned kLastParts = 16;  // of output, at most, that are read at its end
constexpr std::size_t kLongestLine = 4096;
// Beside its caches: its program, its buffers, and what the allocator keeps.
constexpr std::uint64_t kOwnBytes = std::uint64_t{512} << 20;

RestartBackoff at_once() {
    return RestartBackoff(milliseconds(1'000), milliseconds(30'000), true);
}

// Opens a file of the daemon in a folder of the engine, which may have left anything in its place:
// a link, a pipe, a folder, a file of its own. All but the daemon's file is removed.
Descriptor open_own(const std::string& path) {
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    Descriptor file(::open(path.c_str(), kFlags));
    struct stat is {};
    if (file.get() >= 0 && ::fstat(file.get(), &is) == 0 && S_ISREG(is.st_mode) &&
        is.st_uid == ::geteuid() && is.st_nlink == 1)
        return file;
    std::error_code failed;
    std::filesystem::remove_all(path, failed);
    // A folder that only its owner may empty.
    if (failed) (void)::rename(path.c_str(), (path + "-left").c_str());
    return Descriptor(::open(path.c_str(), kFlags | O_CREAT | O_EXCL, 0644));
}

milliseconds since(steady_clock::time_point begin) {
    return std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
}

}  // namespace

struct Instance::Life {
    Life(boost::asio::io_context& io, StartedEngine started, Descriptor file)
        : pid(started.pid),
          config(std::move(file)),
          end(io, started.end.take()),
          output(io, started.output.take()) {}
    pid_t pid;
    Descriptor config;  // the file that it reads again at each reload
    boost::asio::posix::stream_descriptor end, output;
    steady_clock::time_point begun = steady_clock::now(), answered = begun;
    std::array<char, 4096> room{};
    std::string text;
    std::string why;  // it was killed
};

struct Instance::Timers {
    explicit Timers(boost::asio::io_context& io) : again(io), ask(io) {}
    boost::asio::steady_timer again, ask;
};

Instance::Instance(boost::asio::io_context& io, Owner& owner, EngineStarter& starter,
                   unsigned number, unsigned place, std::string folder)
    : io_(io),
      owner_(owner),
      starter_(starter),
      number_(number),
      place_(place),
      folder_(std::move(folder)),
      backoff_(at_once()),
      timers_(std::make_unique<Timers>(io)) {}

Instance::~Instance() {
    *is_alive_ = false;
    stop();
}

pid_t Instance::pid() const {
    return life_ == nullptr ? 0 : life_->pid;
}

std::string Instance::config_path() const {
    return folder_ + "/" + std::string(kConfigFile);
}

std::string Instance::control_socket() const {
    return folder_ + "/" + std::string(kControlSocket);
}

// Of this object and of this run: calls that come later do nothing.
template <class Then>
auto Instance::in_this_life(Then then) {
    return [this, alive = is_alive_, life = std::weak_ptr(life_),
            then = std::move(then)](auto&&... arguments) {
        const auto current = life.lock();
        if (!*alive || current == nullptr || current != life_) return;
        then(std::forward<decltype(arguments)>(arguments)...);
    };
}

// ---- its settings

void Instance::configure(const config::Recursion& settings) {
    const auto port = static_cast<std::uint16_t>(settings.port + number_);
    EngineConfig next = configuration(settings, folder_, port);
    const bool is_same = next.text == config_.text && !is_behind_;
    const bool needs_restart =
        port != port_ || settings.cache_bytes != cache_bytes_ || config_.text.empty();
    config_ = std::move(next);
    port_ = port;
    cache_bytes_ = settings.cache_bytes;
    has_root_anchor_ = has_root_anchor(settings);
    files_ = files_of(settings);
    if (life_ == nullptr && is_wanted_ && !is_same) begin_after(milliseconds(0));
    if (is_same || life_ == nullptr) return;
    if (needs_restart) return replace();
    const auto written = write_config(life_->config.get());
    is_behind_ = !written;
    if (!written) return owner_.tell(*this, true, written.error().text);
    call_engine(io_, control_socket(), command(kReloadWords), kCallPatience,
                in_this_life([this](const std::optional<std::string>& answer) {
                    if (!answer || !is_done(*answer)) return replace();
                    owner_.settings_taken(*this);
                }));
}

// `file`: the one that the process has open, whatever its folder has by now.
Result<void> Instance::write_config(int file) const {
    const auto refuse = [this] {
        return Error{config_path() + " cannot be written: " + std::strerror(errno)};
    };
    std::size_t done = 0;
    while (done < config_.text.size()) {
        const auto count = ::pwrite(file, config_.text.data() + done, config_.text.size() - done,
                                    static_cast<off_t>(done));
        if (count <= 0) return refuse();
        done += static_cast<std::size_t>(count);
    }
    // Readable by the user of the engine, whatever the umask.
    if (::ftruncate(file, static_cast<off_t>(done)) != 0 || ::fchmod(file, 0644) != 0)
        return refuse();
    return {};
}

// ---- its life

void Instance::start() {
    if (std::exchange(is_wanted_, true)) return;
    backoff_ = at_once();
    begin();
}

void Instance::stop() {
    is_wanted_ = false;
    timers_->again.cancel();
    timers_->ask.cancel();
    set_up(false);
    if (life_ == nullptr) return;
    starter_.kill(life_->pid);
    // Its end comes later, also than that of this object.
    const LifePtr life = std::move(life_);
    life_ = nullptr;
    life->end.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [life](error_code) { ::waitpid(life->pid, nullptr, WNOHANG); });
}

void Instance::hold(const std::string& why) {
    if (!is_wanted_ && error_ == why) return;
    stop();
    error_ = why;
    owner_.tell(*this, true, why);
}

void Instance::replace() {
    if (life_ == nullptr) return;
    is_replaced_ = true;
    is_old_ = false;
    set_up(false);
    starter_.kill(life_->pid);
}

std::uint64_t Instance::most_bytes() const {
    return 2 * cache_bytes_ + kOwnBytes;
}

void Instance::begin() {
    if (!is_wanted_ || life_ != nullptr) return;
    if (has_root_anchor_) {
        const auto renewed = renew_anchor(folder_);
        if (!renewed) return fail(renewed.error().text, milliseconds(0));
        if (*renewed == AnchorFile::replaced)
            owner_.tell(*this, true,
                        std::string(kAnchorFile) +
                            " was damaged or lacked a key: that of dns-root-data is used");
    }
    Descriptor config = open_own(config_path());
    if (config.get() < 0)
        return fail(config_path() + " cannot be written: " + std::strerror(errno), milliseconds(0));
    if (const auto written = write_config(config.get()); !written)
        return fail(written.error().text, milliseconds(0));
    // The process may read it, not write it.
    const Descriptor readable(
        ::open(("/proc/self/fd/" + std::to_string(config.get())).c_str(), O_RDONLY | O_CLOEXEC));
    is_behind_ = false;
    auto started = starter_.start({readable.get(), most_bytes(), folder_, files_});
    if (!started) return fail(started.error().text, milliseconds(0));
    life_ = std::make_shared<Life>(io_, std::move(*started), std::move(config));
    is_old_ = false;
    last_line_.clear();
    await_end();
    read_output();
    ask_after(kUpEvery);
}

void Instance::begin_after(milliseconds pause) {
    timers_->again.expires_after(pause);
    timers_->again.async_wait([this, alive = is_alive_](error_code error) {
        if (!error && *alive) begin();
    });
}

void Instance::await_end() {
    life_->end.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          in_this_life([this](error_code) { ended(); }));
}

void Instance::read_output() {
    life_->output.async_read_some(boost::asio::buffer(life_->room),
                                  in_this_life([this](error_code error, std::size_t count) {
                                      if (error) return;
                                      take_output(count);
                                      read_output();
                                  }));
}

// `count` more bytes of it.
void Instance::take_output(std::size_t count) {
    std::string& text = life_->text;
    text.append(life_->room.data(), count);
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
        const LogLine line = log_line(std::string_view(text).substr(0, end));
        if (line.level == LineLevel::error) last_line_ = line.text;
        owner_.take_line(*this, line);
        text.erase(0, end + 1);
    }
    if (text.size() > kLongestLine) text.clear();
}

// What it wrote before its end says why it ended.
void Instance::take_last_output() {
    error_code error;
    life_->output.cancel(error);
    life_->output.non_blocking(true, error);
    for (unsigned parts = 0; parts < kLastParts; ++parts) {
        const auto count = life_->output.read_some(boost::asio::buffer(life_->room), error);
        if (error || count == 0) return;
        take_output(count);
    }
}

void Instance::ask_after(milliseconds pause) {
    timers_->ask.expires_after(pause);
    timers_->ask.async_wait(in_this_life([this](error_code error) {
        if (!error) poll();
    }));
}

void Instance::poll() {
    call_engine(io_, control_socket(), command(kCountsWords), kPollPatience,
                in_this_life([this](const std::optional<std::string>& answer) {
                    answered(answer.has_value(), answer.value_or(""));
                }));
}

void Instance::answered(bool is_there, const std::string& answer) {
    if (is_there) {
        life_->answered = steady_clock::now();
        counts_ = counts_of(answer);
        if (!is_replaced_) set_up(true);
    } else if (since(life_->answered) > kMostSilence) {
        life_->why = "it did not answer for " +
                     std::to_string(std::chrono::seconds(kMostSilence).count()) + " s";
        set_up(false);
        starter_.kill(life_->pid);
    }
    ask_after(is_up_ ? milliseconds(kPollEvery) : kUpEvery);
}

void Instance::ended() {
    int status = 0;
    std::string how = "no exit status";
    if (::waitpid(life_->pid, &status, WNOHANG) > 0) how = text_of_end(status);
    take_last_output();
    const auto lived = since(life_->begun);
    const std::string why = std::exchange(life_->why, {});
    life_.reset();
    counts_ = {};
    timers_->ask.cancel();
    set_up(false);
    if (std::exchange(is_replaced_, false)) return begin();
    std::string text = why.empty() ? "it ended: " + how : why;
    if (!last_line_.empty()) text += ": " + last_line_;
    fail(text, lived);
}

void Instance::fail(const std::string& why, milliseconds lived) {
    ++restarts_;
    error_ = why;
    const milliseconds pause = backoff_.next(lived);
    owner_.tell(
        *this, true,
        why + "; it is started again " +
            (pause.count() == 0 ? "now" : "in " + std::to_string(pause.count() / 1000) + " s"));
    begin_after(pause);
}

void Instance::set_up(bool is_up) {
    if (std::exchange(is_up_, is_up) == is_up) return;
    if (is_up && !std::exchange(error_, {}).empty()) owner_.tell(*this, false, "it runs again");
    owner_.is_up_changed(*this);
}

}  // namespace steer::recursion

#include "capture_command.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <utility>

#include "base64.h"
#include "cells.h"

namespace steerctl {
namespace json = boost::json;
namespace {

std::atomic<bool> is_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void end_on_signals() {
    struct sigaction action {};
    action.sa_handler = [](int) { is_interrupted = true; };
    action.sa_flags = SA_RESTART;
    for (const int signal : {SIGINT, SIGTERM})
        ::sigaction(signal, &action, nullptr);
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

}  // namespace

CaptureCommand::CaptureCommand(CLI::App& app)
    : capture_(app.add_subcommand("capture",
                                  "Write the frames that workers receive and send, as pcapng")) {
    capture_->add_option("-w,--write", file_, "File to write (default: standard output)");
    capture_->add_option("--name", name_, "Only questions for this name and names below it");
    capture_->add_option("--client", client_, "Only from or to this address or prefix");
    capture_->add_option("--port", port_, "Only from or to this UDP or TCP port")
        ->check(CLI::Range(1U, 65'535U));
    capture_->add_option("--interface", interface_,
                         "Only frames of this port; 'sockets': queries over kernel sockets");
    capture_->add_option("--count", count_, "End after this number of frames")
        ->check(CLI::Range(1U, 100'000'000U));
    capture_->add_option("--seconds", seconds_, "End after this time (default: 3600)")
        ->check(CLI::Range(1U, 86'400U));
    capture_->add_option("--bytes", bytes_, "Bytes of a frame to keep (default: 2048)")
        ->check(CLI::Range(64U, 65'535U));
}

json::object CaptureCommand::filter() const {
    json::object params;
    for (const auto& [key, text] :
         std::initializer_list<std::pair<const char*, const std::string&>>{
             {"name", name_}, {"client", client_}, {"interface", interface_}}) {
        if (!text.empty()) params[key] = text;
    }
    for (const auto& [key, number] :
         std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
             {"port", port_}, {"count", count_}, {"seconds", seconds_}, {"bytes", bytes_}}) {
        if (number) params[key] = *number;
    }
    return params;
}

int CaptureCommand::run(const Options& options) const {
    const bool is_stdout = file_.empty() || file_ == "-";
    if (is_stdout && options.as_json)
        return misused("--json and a capture on standard output exclude each other: write -w FILE");
    if (is_stdout && ::isatty(STDOUT_FILENO) != 0)
        return misused(
            "standard output is a terminal: write -w FILE, or a pipe such as "
            "'| tshark -r -'");
    const Reply begun = ask(options.socket, "capture.start", filter());
    if (!begun.error.empty()) return fail(begun);
    const json::object number{{"capture", *find(object_of(begun.result), "capture")}};
    end_on_signals();
    const File file(is_stdout ? stdout : std::fopen(file_.c_str(), "wbe"),
                    [](std::FILE* f) { return f == stdout ? std::fflush(f) : std::fclose(f); });
    if (!file) {
        const std::string why = std::strerror(errno);
        (void)ask(options.socket, "capture.stop", number);
        return misused(file_ + " cannot be written: " + why);
    }
    bool is_stopped = false;
    for (;;) {
        const bool stops = is_interrupted && !std::exchange(is_stopped, is_interrupted.load());
        const Reply reply = ask(options.socket, stops ? "capture.stop" : "capture.read", number);
        if (!reply.error.empty()) return fail(reply);
        const json::object& answer = object_of(reply.result);
        const auto bytes = from_base64(text_of(answer, "bytes"));
        if (!bytes)
            return fail(steer::ErrorCode::bad_answer, "steerdnsd did not send bytes of a capture");
        if (std::fwrite(bytes->data(), 1, bytes->size(), file.get()) != bytes->size() ||
            std::fflush(file.get()) != 0) {
            const std::string why = std::strerror(errno);
            (void)ask(options.socket, "capture.stop", number);
            return fail(steer::ErrorCode::output,
                        "cannot write " + (is_stdout ? "to standard output" : file_) + ": " + why);
        }
        if (!is_true(answer, "done")) continue;
        const std::string sum =
            text_of(answer, "frames") + " frames captured, " + text_of(answer, "lost") + " lost\n";
        if (is_stdout) {
            std::fputs(sum.c_str(), stderr);
        } else if (options.as_json) {
            print_json(json::object{{"file", file_},
                                    {"frames", *find(answer, "frames")},
                                    {"lost", *find(answer, "lost")}});
        } else {
            print(sum);
        }
        return 0;
    }
}

}  // namespace steerctl

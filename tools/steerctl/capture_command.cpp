// Frames of the workers as a pcapng file: `capture`.
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/json/object.hpp>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base64.h"
#include "cells.h"
#include "commands.h"

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

struct CaptureFilter {
    std::string file, name, client, interface;
    std::optional<std::uint64_t> port, count, seconds, bytes;
};

json::object filter_of(const CaptureFilter& wanted) {
    json::object params;
    for (const auto& [key, text] :
         std::initializer_list<std::pair<const char*, const std::string&>>{
             {"name", wanted.name}, {"client", wanted.client}, {"interface", wanted.interface}}) {
        if (!text.empty()) params[key] = text;
    }
    for (const auto& [key, number] :
         std::initializer_list<std::pair<const char*, std::optional<std::uint64_t>>>{
             {"port", wanted.port},
             {"count", wanted.count},
             {"seconds", wanted.seconds},
             {"bytes", wanted.bytes}}) {
        if (number) params[key] = *number;
    }
    return params;
}

// Ends after --count or --seconds, or by Ctrl-C, and then the file is complete.
int run_capture(const Options& options, const CaptureFilter& wanted) {
    const bool is_stdout = wanted.file.empty() || wanted.file == "-";
    if (is_stdout && options.as_json)
        return misused("--json and a capture on standard output exclude each other: write -w FILE");
    if (is_stdout && ::isatty(STDOUT_FILENO) != 0)
        return misused(
            "standard output is a terminal: write -w FILE, or a pipe such as "
            "'| tshark -r -'");
    const Reply begun = ask(options.socket, "capture.start", filter_of(wanted));
    if (!begun.error.empty()) return fail(begun);
    const json::object number{{"capture", *find(object_of(begun.result), "capture")}};
    end_on_signals();
    const File file(is_stdout ? stdout : std::fopen(wanted.file.c_str(), "wbe"),
                    [](std::FILE* f) { return f == stdout ? std::fflush(f) : std::fclose(f); });
    if (!file) {
        const std::string why = std::strerror(errno);
        (void)ask(options.socket, "capture.stop", number);
        return misused(wanted.file + " cannot be written: " + why);
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
            return fail(
                steer::ErrorCode::output,
                "cannot write " + (is_stdout ? "to standard output" : wanted.file) + ": " + why);
        }
        if (!is_true(answer, "done")) continue;
        const std::string sum =
            text_of(answer, "frames") + " frames captured, " + text_of(answer, "lost") + " lost\n";
        if (is_stdout) {
            std::fputs(sum.c_str(), stderr);
        } else if (options.as_json) {
            print_json(json::object{{"file", wanted.file},
                                    {"frames", *find(answer, "frames")},
                                    {"lost", *find(answer, "lost")}});
        } else {
            print(sum);
        }
        return 0;
    }
}

}  // namespace

Run add_capture(CLI::App& command, Options& options) {
    const auto wanted = std::make_shared<CaptureFilter>();
    command.add_option("-w,--write", wanted->file, "File to write (default: standard output)");
    command.add_option("--name", wanted->name, "Only questions for this name and names below it");
    command.add_option("--client", wanted->client,
                       "Only from or to this client: an address, a prefix, or its name");
    command.add_option("--port", wanted->port, "Only from or to this UDP or TCP port")
        ->check(CLI::Range(1U, 65'535U));
    command.add_option("--interface", wanted->interface,
                       "Only frames of this port; 'sockets': queries over kernel sockets");
    command.add_option("--count", wanted->count, "End after this number of frames")
        ->check(CLI::Range(1U, 100'000'000U));
    command.add_option("--seconds", wanted->seconds, "End after this time (default: 3600)")
        ->check(CLI::Range(1U, 86'400U));
    command.add_option("--bytes", wanted->bytes, "Bytes of a frame to keep (default: 2048)")
        ->check(CLI::Range(64U, 65'535U));
    return [&options, wanted] { return run_capture(options, *wanted); };
}

}  // namespace steerctl

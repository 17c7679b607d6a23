// rossim: routers on real sockets. read_command_line() has the options.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <cstdio>
#include <exception>
#include <optional>

#include "tools/rossim/control.h"
#include "tools/rossim/host.h"
#include "tools/rossim/settings.h"
#include "tools/rossim/tls_context.h"

namespace rossim {
namespace {

// Appends lines; each is in the file when write() returns.
class JournalFile {
  public:
    explicit JournalFile(const std::string& path) : file_(std::fopen(path.c_str(), "a")) {
        if (file_ == nullptr) throw std::runtime_error("--journal: cannot write " + path);
    }
    ~JournalFile() { std::fclose(file_); }
    JournalFile(const JournalFile&) = delete;
    JournalFile& operator=(const JournalFile&) = delete;

    void write(const Commit& commit) {
        std::fputs(to_json_line(commit).c_str(), file_);
        std::fflush(file_);
    }

  private:
    std::FILE* file_;
};

bool wants_tls(const Settings& settings) {
    for (const RouterSettings& router : settings.routers) {
        if (router.tls_port) return true;
    }
    return false;
}

void run(const Settings& settings) {
    boost::asio::io_context io(1);
    std::optional<JournalFile> file;
    Journal journal;
    if (!settings.journal_file.empty()) {
        file.emplace(settings.journal_file);
        journal = [&file](const Commit& commit) { file->write(commit); };
    }
    std::optional<boost::asio::ssl::context> tls;
    if (wants_tls(settings)) tls.emplace(make_tls_context(settings.tls, settings.address));

    Hosts hosts;
    for (const RouterSettings& router : settings.routers) {
        hosts.push_back(
            std::make_unique<Host>(io, settings, router, tls ? &*tls : nullptr, journal));
        Host& host = *hosts.back();
        for (const Prefill& prefill : settings.prefills) {
            host.router().prefill(prefill.family, prefill.list, prefill.count, host.now_us());
        }
        host.pump();
    }
    std::optional<ControlServer> control;
    if (!settings.control_socket.empty()) control.emplace(io, settings.control_socket, hosts);
    for (const auto& host : hosts)
        std::printf("rossim: %s\n", host->describe().c_str());
    std::fflush(stdout);

    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
    io.run();
}

int main_of(int argc, char** argv) {
    Invocation invocation;
    try {
        invocation = read_command_line(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rossim: %s\n", error.what());
        return 2;
    }
    std::fputs(invocation.print.c_str(), stdout);
    if (invocation.control) return ask_control(*invocation.control);
    if (invocation.run) run(*invocation.run);
    return invocation.exit_code;
}

}  // namespace
}  // namespace rossim

int main(int argc, char** argv) {
    try {
        return rossim::main_of(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rossim: %s\n", error.what());
        return 1;
    }
}

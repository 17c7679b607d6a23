// The life of an instance, with processes that do nothing and a control socket of the test.
#define BOOST_TEST_MODULE recursion_instance
#include "control/program/engine/instance.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/program/engine/folders.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recursion;
using boost::asio::local::stream_protocol;

namespace {

// Its processes wait for a signal; `last` is the newest.
class Starter final : public EngineStarter {
  public:
    Result<StartedEngine> start(const EngineStart& how) override {
        bytes = how.most_bytes;
        folder = how.folder;
        if (!refusal.empty()) return Error{refusal};
        int ends[2];
        BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
        Descriptor out(ends[0]), in(ends[1]);
        last = ::fork();
        if (last == 0) {
            (void)!::write(in.get(), text.data(), text.size());
            for (;;)
                ::pause();
        }
        ++started;
        Descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, last, 0)));
        return {boost::system::in_place_value, StartedEngine{last, std::move(end), std::move(out)}};
    }
    void kill(pid_t pid) override { ::kill(pid, SIGKILL); }

    std::string refusal, text, folder;
    unsigned started = 0;
    std::uint64_t bytes = 0;
    pid_t last = 0;
};

// Answers each command by `answer_to`.
class ControlSocket {
  public:
    ControlSocket(boost::asio::io_context& io, const std::string& path)
        : acceptor_(io, stream_protocol::endpoint(path)) {
        accept();
    }
    std::function<std::string(const std::string&)> answer_to = [](const std::string&) {
        return "total.num.queries=3\ntime.up=1\n";
    };
    std::vector<std::string> commands;  // but those for counts

  private:
    void accept() {
        acceptor_.async_accept(
            [this](boost::system::error_code error, stream_protocol::socket peer) {
                if (error) return;
                std::string line;
                boost::asio::read_until(peer, boost::asio::dynamic_buffer(line), '\n');
                if (line.find(kCountsWords) == std::string::npos) commands.push_back(line);
                boost::asio::write(peer, boost::asio::buffer(answer_to(line)));
                accept();
            });
    }
    stream_protocol::acceptor acceptor_;
};

struct World : Instance::Owner {
    // Without the package dns-root-data, no root's keys.
    World() {
        settings.cache_bytes = std::uint64_t{64} << 20;
        if (!renew_anchor(folder.path.string()))
            settings.trust_anchors = {{"example. DS 1 13 2 ab", 1}};
    }
    virtual ~World() = default;

    void is_up_changed(const Instance&) override { ++changes; }
    void tell(const Instance&, bool, const std::string& text) override { reported.push_back(text); }
    void settings_taken(const Instance&) override { ++taken; }
    void take_line(const Instance&, const LogLine& line) override { lines.push_back(line.text); }

    // Until it is so; fails after a time that no test should need.
    void run_until(const std::function<bool()>& is_so) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!is_so() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_for(std::chrono::milliseconds(100));
        }
        BOOST_REQUIRE(is_so());
    }
    void begin() {
        settings.port = 5301;
        instance.configure(settings);
        instance.start();
    }
    void run_until_up() {
        run_until([this] { return instance.is_up(); });
    }
    [[nodiscard]] std::string written() const { return folder.read(std::string(kConfigFile)); }

    test::TempFolder folder;
    boost::asio::io_context io;
    Starter starter;
    config::Recursion settings;
    Instance instance{io, *this, starter, 1, 0, folder.path.string()};
    ControlSocket control{io, folder / std::string(kControlSocket)};
    unsigned changes = 0, taken = 0;
    std::vector<std::string> reported, lines;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(it_is_up_once_its_control_socket_answers, World) {
    control.answer_to = [](const std::string&) { return ""; };
    begin();
    BOOST_TEST(!instance.is_up());
    BOOST_TEST(written().find("127.0.0.1@5302") != std::string::npos);
    run_until_up();
    control.answer_to = [](const std::string&) { return "total.num.queries=3\n"; };
    run_until([this] { return instance.counts().queries == 3; });
    BOOST_TEST(instance.pid() == starter.last);
    BOOST_TEST(starter.bytes > 2 * settings.cache_bytes);
    BOOST_TEST(starter.folder == folder.path.string());
    BOOST_TEST(reported.empty());
}

// Code inside an engine may leave there what it likes.
BOOST_FIXTURE_TEST_CASE(what_lies_in_place_of_its_configuration_is_removed, World) {
    const std::string file = folder / std::string(kConfigFile), victim = folder / "victim";
    const std::vector<std::function<int()>> left{
        [&] { return ::symlink(victim.c_str(), file.c_str()); },
        [&] { return ::symlink("/nowhere/file", file.c_str()); },
        [&] { return ::link(victim.c_str(), file.c_str()); },
        [&] { return ::mkfifo(file.c_str(), 0600); },
        [&] { return ::mkdir(file.c_str(), 0700) + ::mkdir((file + "/in it").c_str(), 0700); },
        [&] {
            return folder.write(std::string(kConfigFile), "of another user") == file &&
                           (::geteuid() != 0 || ::chown(file.c_str(), 65534, 65534) == 0)
                       ? 0
                       : -1;
        }};
    begin();
    run_until_up();
    for (std::size_t i = 0; i < left.size(); ++i) {
        BOOST_TEST_CONTEXT("what is left, number " << i) {
            folder.write("victim", "of somebody else");
            std::filesystem::remove_all(file);
            BOOST_TEST_REQUIRE(left[i]() == 0);
            const unsigned before = starter.started;
            instance.replace();
            run_until([&] { return starter.started == before + 1; });
            run_until_up();
            BOOST_TEST(written() == configuration(settings, folder.path.string(), 5302).text);
            BOOST_TEST(folder.read("victim") == "of somebody else");
            struct stat is {};
            BOOST_TEST(::lstat(file.c_str(), &is) == 0);
            BOOST_TEST((S_ISREG(is.st_mode) && is.st_uid == ::geteuid() && is.st_nlink == 1));
        }
    }
    BOOST_TEST(reported.empty());
}

// The engine has this one open.
BOOST_FIXTURE_TEST_CASE(a_reload_writes_the_file_that_its_process_has, World) {
    control.answer_to = [](const std::string&) { return "ok\n"; };
    begin();
    run_until_up();
    const std::string file = folder / std::string(kConfigFile);
    std::filesystem::rename(file, folder / "moved");
    folder.write("victim", "of somebody else");
    std::filesystem::create_symlink(folder / "victim", file);
    settings.negative_trust_anchors = {{"broken.example", 3}};
    instance.configure(settings);
    run_until([this] { return taken == 1; });
    BOOST_TEST(folder.read("moved").find("broken.example") != std::string::npos);
    BOOST_TEST(folder.read("victim") == "of somebody else");
}

BOOST_FIXTURE_TEST_CASE(it_starts_again_at_once_and_then_waits, World) {
    starter.text = "[1] unbound[1:0] error: no memory\n";
    begin();
    run_until_up();
    ::kill(starter.last, SIGKILL);
    run_until([this] { return starter.started == 2; });
    BOOST_REQUIRE_EQUAL(reported.size(), 1U);
    BOOST_TEST(reported[0] == "it ended: killed by signal 9: no memory; it is started again now");
    BOOST_TEST(lines.at(0) == "no memory");
    run_until_up();
    BOOST_TEST(reported.back() == "it runs again");
    ::kill(starter.last, SIGKILL);
    run_until([this] { return !instance.is_up(); });
    BOOST_TEST(reported.back().ends_with("; it is started again in 1 s"));
    BOOST_TEST(instance.restarts() == 2U);
    BOOST_TEST(!instance.error().empty());
}

BOOST_FIXTURE_TEST_CASE(a_refused_start_is_reported_and_tried_again, World) {
    starter.refusal = "no such file";
    begin();
    BOOST_REQUIRE(!reported.empty());
    BOOST_TEST(reported[0] == "no such file; it is started again now");
    starter.refusal.clear();
    run_until_up();
}

BOOST_FIXTURE_TEST_CASE(a_change_is_taken_over_without_a_restart, World) {
    begin();
    run_until_up();
    control.answer_to = [](const std::string&) { return "ok\n"; };
    instance.configure(settings);
    BOOST_TEST(control.commands.empty());
    settings.negative_trust_anchors = {{"broken.example", 3}};
    instance.configure(settings);
    run_until([this] { return taken == 1; });
    BOOST_TEST(control.commands.at(0).find(kReloadWords) != std::string::npos);
    BOOST_TEST(written().find("domain-insecure: \"broken.example\"") != std::string::npos);
    BOOST_TEST(starter.started == 1U);
    // Shorter text: no part of the longer one stays.
    settings.negative_trust_anchors.clear();
    instance.configure(settings);
    run_until([this] { return taken == 2; });
    BOOST_TEST(written() == configuration(settings, folder.path.string(), 5302).text);
}

BOOST_FIXTURE_TEST_CASE(one_that_does_not_take_it_over_is_replaced, World) {
    begin();
    run_until_up();
    control.answer_to = [](const std::string& command) {
        return command.find(kReloadWords) != std::string::npos ? "error unknown command\n" : "";
    };
    settings.negative_trust_anchors = {{"broken.example", 3}};
    instance.configure(settings);
    run_until([this] { return starter.started == 2; });
    run_until_up();
    settings.cache_bytes *= 2;
    instance.configure(settings);
    run_until([this] { return starter.started == 3; });
    // It was wanted so: no failure.
    BOOST_TEST(reported.empty());
    BOOST_TEST(instance.restarts() == 0U);
}

// Else the next reload would find nothing to change.
BOOST_FIXTURE_TEST_CASE(a_change_that_could_not_be_written_is_taken_later, World) {
    control.answer_to = [](const std::string&) { return "ok\n"; };
    begin();
    run_until_up();
    (void)::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{16, before.rlim_max};
    BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_FSIZE, &small), 0);
    settings.negative_trust_anchors = {{"broken.example", 3}};
    instance.configure(settings);
    BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_FSIZE, &before), 0);
    BOOST_REQUIRE_EQUAL(reported.size(), 1U);
    BOOST_TEST(reported[0].find("cannot be written") != std::string::npos);
    instance.configure(settings);
    run_until([this] { return taken == 1; });
    BOOST_TEST(written().find("broken.example") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_damaged_anchor_is_replaced_at_each_start, World) {
    if (::access(std::string(kRootKey).c_str(), R_OK) != 0) return;
    const std::string package = folder.read(std::string(kRootKey));
    begin();
    run_until_up();
    BOOST_TEST(folder.read(std::string(kAnchorFile)) == package);
    BOOST_TEST(reported.empty());
    folder.write(std::string(kAnchorFile), package.substr(0, 60));
    ::kill(starter.last, SIGKILL);
    run_until([this] { return starter.started == 2; });
    BOOST_TEST(folder.read(std::string(kAnchorFile)) == package);
    BOOST_TEST(reported.back().find("damaged") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(it_is_held_until_the_next_start, World) {
    instance.hold("no address");
    instance.hold("no address");
    BOOST_TEST(reported == std::vector<std::string>{"no address"});
    BOOST_TEST(instance.error() == "no address");
    begin();
    run_until_up();
    BOOST_TEST(instance.error().empty());
    const pid_t pid = starter.last;
    instance.hold("no address");
    BOOST_TEST(!instance.is_up());
    BOOST_TEST(instance.pid() == 0);
    run_until([pid] { return ::kill(pid, 0) != 0; });
    BOOST_TEST(starter.started == 1U);
}

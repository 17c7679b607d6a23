// The control group of the engine, in folders that stand for those of the kernel.
#define BOOST_TEST_MODULE recursion_group
#include "control/program/engine/control_group.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "support/temp_folder.h"

using namespace steer::recursion;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

std::string read(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

// A group as the kernel shows it at the top of a container, with the files of its groups below.
struct Kernel {
    explicit Kernel(const std::string& group) : base(folder.path.string() + group) {
        write(own, "7:pids:/\n0::" + (group.empty() ? "/" : group) + "\n");
        write(base / "cgroup.type", "domain\n");
        write(base / "cgroup.procs", std::to_string(::getpid()) + "\n");
        write(base / "cgroup.controllers", "cpuset cpu io memory pids\n");
        write(base / "cgroup.subtree_control", "");
        write(base / "daemon/cgroup.procs", "");
        for (const char* const file : {"cgroup.procs", "cpu.weight", "pids.max", "memory.max"})
            write(base / "recursion" / file, "");
    }
    [[nodiscard]] ControlGroupPaths paths() const { return {folder.path.string(), own.string()}; }

    steer::test::TempFolder folder;
    fs::path own = folder.path / "own", base;
};

std::string refusal(const ControlGroupPaths& paths) {
    const auto made = ControlGroup::make(paths);
    return made ? std::string() : made.error().text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_engines_have_a_group_beside_the_daemon) {
    const Kernel kernel("");
    auto group = ControlGroup::make(kernel.paths());
    BOOST_REQUIRE_MESSAGE(group, refusal(kernel.paths()));
    BOOST_TEST(group->path() == "/recursion");
    BOOST_TEST(read(kernel.base / "daemon/cgroup.procs") == std::to_string(::getpid()));
    BOOST_TEST(read(kernel.base / "cgroup.subtree_control") == "+cpu +memory +pids");
    BOOST_TEST(read(kernel.base / "recursion/cpu.weight") == "50");
    BOOST_TEST(read(kernel.base / "recursion/pids.max") == "64");
    BOOST_TEST(::write(group->members(), "0", 1) == 1);
    BOOST_TEST(read(kernel.base / "recursion/cgroup.procs") == "0");
    BOOST_TEST(group->most_bytes() == 0U);
    BOOST_TEST(group->limit_memory(1U << 30).has_value());
    BOOST_TEST(read(kernel.base / "recursion/memory.max") == "1073741824");
    BOOST_TEST(group->most_bytes() == 1U << 30);
}

BOOST_AUTO_TEST_CASE(a_group_that_was_not_delegated_is_left_alone) {
    const Kernel kernel("/system.slice/steerdnsd.service");
    BOOST_TEST(refusal(kernel.paths()) ==
               "/system.slice/steerdnsd.service is not delegated to steerdnsd");
    BOOST_TEST(read(kernel.base / "daemon/cgroup.procs").empty());
    const Kernel machine("");
    fs::remove(machine.base / "cgroup.type");  // the top of a machine has none
    BOOST_TEST(refusal(machine.paths()) == "/ is not delegated to steerdnsd");
}

BOOST_AUTO_TEST_CASE(processes_of_others_stay_where_they_are) {
    const Kernel kernel("");
    for (const auto& [other, text] :
         {std::pair{"1", "process 1 is in the same control group"},
          std::pair{"0", "a process outside of this container is in the same control group"}}) {
        write(kernel.base / "cgroup.procs", std::to_string(::getpid()) + "\n" + other + "\n");
        BOOST_TEST(refusal(kernel.paths()) == text);
        BOOST_TEST(read(kernel.base / "daemon/cgroup.procs").empty());  // none was moved
        BOOST_TEST(read(kernel.base / "cgroup.subtree_control").empty());
    }
}

BOOST_AUTO_TEST_CASE(controllers_that_are_missing_are_named) {
    const Kernel kernel("");
    write(kernel.base / "cgroup.controllers", "cpuset memory\n");
    BOOST_TEST(refusal(kernel.paths()) == "/ was not given these controllers: cpu, pids");
    BOOST_TEST(read(kernel.base / "daemon/cgroup.procs").empty());
}

BOOST_AUTO_TEST_CASE(without_version_two_there_is_none) {
    const Kernel kernel("");
    write(kernel.own, "4:memory:/\n");
    BOOST_TEST(refusal(kernel.paths()) == "this kernel has no cgroup v2");
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_opened_is_named) {
    const Kernel kernel("");
    fs::remove(kernel.base / "recursion/memory.max");
    BOOST_TEST(refusal(kernel.paths()).find("/recursion/memory.max cannot be opened") !=
               std::string::npos);
}

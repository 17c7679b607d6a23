// schedules --out FOLDER [--from SEED] [--count N] [--hours N] [--without FAULT,…]: plays schedules
// and leaves the facts of each, for judged.py. `--hours`: long ones.
#include <cstdio>
#include <exception>
#include <fstream>
#include <sstream>
#include <string>

#include "schedules/play.h"

namespace steer::schedules {
namespace {

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    if (!(file << text).flush()) throw std::runtime_error("cannot write " + path);
}

struct Arguments {
    std::uint32_t from = 1, count = 20, hours = 0;
    std::string out;
    std::set<std::size_t> without;
};

Arguments read_arguments(int argc, char** argv) {
    Arguments a;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string word = argv[i], value = argv[i + 1];
        if (word == "--from") a.from = static_cast<std::uint32_t>(std::stoul(value));
        if (word == "--count") a.count = static_cast<std::uint32_t>(std::stoul(value));
        if (word == "--hours") a.hours = static_cast<std::uint32_t>(std::stoul(value));
        if (word == "--out") a.out = value;
        std::istringstream places(value);
        for (std::string place; word == "--without" && std::getline(places, place, ',');)
            a.without.insert(std::stoul(place));
    }
    if (a.out.empty()) throw std::runtime_error("--out FOLDER is missing");
    return a;
}

void run(const Arguments& a) {
    for (std::uint32_t seed = a.from; seed != a.from + a.count; ++seed) {
        const Schedule schedule =
            a.hours == 0 ? make_schedule(seed) : make_long_schedule(seed, a.hours);
        const Played played = play(schedule, a.without);
        const std::string stem = a.out + "/" + std::to_string(seed);
        write(stem + ".journal", played.journal);
        write(stem + ".answers", played.answers);
        write(stem + ".facts", played.facts);
        write(stem + ".story", schedule.text() + played.story);
        std::printf("%u %zu %u %zu %zu %zu\n", seed, schedule.faults.size(), schedule.writers,
                    played.questions, played.waited, played.sentences);
    }
}

}  // namespace
}  // namespace steer::schedules

int main(int argc, char** argv) try {
    steer::schedules::run(steer::schedules::read_arguments(argc, argv));
} catch (const std::exception& e) {
    std::fprintf(stderr, "schedules: %s\n", e.what());
    return 2;
}

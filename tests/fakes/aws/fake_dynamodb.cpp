#include "fakes/aws/fake_dynamodb.hpp"

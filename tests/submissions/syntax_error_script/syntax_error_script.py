import keras

model = keras.Sequential([keras.Input((784,))
model.compile("adam", "mse")
